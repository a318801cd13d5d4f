//! A throw-away nginx.

use std::path::PathBuf;

use crate::child::{Server, folder, give_away, program};
use crate::port::free_port;

/// An nginx with a configuration of one's own.
#[derive(Debug)]
pub struct Nginx {
    _server: Server,
    port: u16,
}

impl Nginx {
    /// Starts one. In the configuration, `{port}` stands for its port on the
    /// loopback address, `{folder}` for a folder that it may write to.
    #[must_use]
    pub fn start(configuration: &str) -> Self {
        let (folder, port) = (folder("portcullis-nginx-"), free_port());
        let path = folder.path().display().to_string();
        let text = configuration.replace("{port}", &port.to_string()).replace("{folder}", &path);
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text).unwrap();
        give_away(&file);
        let file = file.display().to_string();
        let log = format!("{path}/start.log");
        let words = ["-e", &log, "-p", &path, "-c", &file, "-g", "daemon off;"];
        let arguments = words.map(str::to_owned);
        let nginx = program("nginx", &[PathBuf::from("/usr/sbin")], "nginx-light");
        let mut server = Server::spawn(folder, &nginx, &arguments);
        server.wait_until(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { _server: server, port }
    }

    /// Its address, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}
