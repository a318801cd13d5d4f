//! The laws of a store whose server is gone, and whose server is silent.

use std::sync::Mutex;

use async_trait::async_trait;
use portcullis_conformance::{Outage, Stores, Switch};
use portcullis_postgres::Address;
use portcullis_testkit::Postgres;

/// The server lets in whoever asks; its client still has a password to hide.
const PASSWORD: &str = "pa55-w0rd-of-the-database";

async fn outage(server: Postgres, switch: impl Fn(Postgres) -> Box<dyn Switch>) -> Outage {
    let url = server.empty_database().replace("test@", &format!("test:{PASSWORD}@"));
    let address: Address = url.parse().unwrap();
    portcullis_postgres::migrate(&address).await.unwrap();
    let stores = Stores::of(portcullis_postgres::open(&address, 20).unwrap(), ());
    Outage { stores, switch: switch(server), secret: PASSWORD.into() }
}

mod stopped {
    use super::{Mutex, Outage, Postgres, Switch, async_trait, outage};

    struct Power(Mutex<Postgres>);

    #[async_trait]
    impl Switch for Power {
        async fn off(&self) {
            self.0.lock().unwrap().stop();
        }

        async fn on(&self) {
            self.0.lock().unwrap().start_again();
        }
    }

    async fn fixture() -> Outage {
        // What was acknowledged is to outlive the end, so it must be written.
        let server = Postgres::start(&["synchronous_commit=on"]);
        outage(server, |server| Box::new(Power(Mutex::new(server)))).await
    }

    portcullis_conformance::outage_laws!(fixture);
}

mod hanging {
    use super::{Outage, Postgres, Switch, async_trait, outage};

    struct Pause(Postgres);

    #[async_trait]
    impl Switch for Pause {
        async fn off(&self) {
            self.0.hang(true);
        }

        async fn on(&self) {
            self.0.hang(false);
        }
    }

    async fn fixture() -> Outage {
        outage(Postgres::start(&[]), |server| Box::new(Pause(server))).await
    }

    portcullis_conformance::outage_laws!(fixture);
}
