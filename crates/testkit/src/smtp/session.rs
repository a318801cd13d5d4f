//! One SMTP session of a sink (RFC 5321), strict about line ends.

use std::future::pending;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::message::SmtpMessage;
use super::script::{Reaction, Step};
use super::sink::Shared;

/// Serves a client until it leaves.
pub(super) async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    Session {
        stream: BufStream::new(stream),
        shared,
        is_logged_in: shared.login.is_none(),
        from: None,
        to: Vec::new(),
    }
    .run()
    .await
}

struct Session<'a> {
    stream: BufStream<TcpStream>,
    shared: &'a Shared,
    is_logged_in: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Session<'_> {
    async fn run(mut self) -> io::Result<()> {
        self.answer(Step::Connect, "220 sink.example ESMTP").await?;
        loop {
            let line = self.line().await?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            let verb = verb.to_ascii_uppercase();
            let kept = if verb == "AUTH" { "AUTH".into() } else { line.clone() };
            self.shared.with(|state| state.commands.push(kept));
            match verb.as_str() {
                "EHLO" => {
                    let offer =
                        if self.shared.login.is_some() { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
                    let greeting = format!("250-sink.example\r\n{offer}250 8BITMIME");
                    self.answer(Step::Hello, &greeting).await?;
                }
                "AUTH" => self.log_in(rest).await?,
                "MAIL" if !self.is_logged_in => self.say("530 5.7.0 log in first").await?,
                "MAIL" => {
                    self.reset();
                    if self.answer(Step::Mail, "250 2.1.0 go on").await? {
                        self.from = Some(path(rest));
                    }
                }
                "RCPT" if self.from.is_some() => {
                    self.to.push(path(rest));
                    if !self.answer(Step::Rcpt, "250 2.1.5 go on").await? {
                        self.to.pop();
                    }
                }
                "DATA" if !self.to.is_empty() => {
                    if self.answer(Step::Data, "354 end with a dot").await? {
                        self.take_mail().await?;
                    }
                }
                "RSET" => {
                    self.reset();
                    self.say("250 2.0.0 forgotten").await?;
                }
                "NOOP" => self.say("250 2.0.0 still here").await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => self.say("503 5.5.1 not now").await?,
            }
        }
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn take_mail(&mut self) -> io::Result<()> {
        let raw = self.data().await?;
        let message = SmtpMessage {
            envelope_from: self.from.take().unwrap_or_default(),
            envelope_to: self.to.clone(),
            raw,
        };
        let reaction = self.shared.with(|state| {
            state.offered.push(message.clone());
            state.script.reaction(Step::EndOfData, &self.to)
        });
        self.to.clear();
        match reaction {
            None | Some(Reaction::Late(_)) => {
                if let Some(Reaction::Late(wait)) = reaction {
                    sleep(wait).await;
                }
                self.shared.keep(message);
                self.say("250 2.0.0 taken").await
            }
            Some(Reaction::Quote(code)) => {
                let quoted = String::from_utf8_lossy(&message.raw).into_owned();
                for line in quoted.lines() {
                    self.say(&format!("{code}-5.7.1 {line}")).await?;
                }
                self.say(&format!("{code} 5.7.1 that is refused")).await
            }
            Some(reaction) => self.react(reaction).await,
        }
    }

    /// Everything up to a dot on a line of its own, which only `CRLF` makes.
    async fn data(&mut self) -> io::Result<Vec<u8>> {
        let mut raw = b"\r\n".to_vec();
        while !raw.ends_with(b"\r\n.\r\n") {
            raw.push(self.stream.read_u8().await?);
        }
        self.shared.with(|state| state.wire.extend_from_slice(&raw[2..]));
        raw.truncate(raw.len() - b".\r\n".len());
        let mut unstuffed = Vec::with_capacity(raw.len());
        let mut starts_line = false;
        for byte in raw {
            if !(starts_line && byte == b'.') {
                unstuffed.push(byte);
            }
            starts_line = byte == b'\n' && unstuffed.ends_with(b"\r\n");
        }
        Ok(unstuffed.split_off(2))
    }

    async fn log_in(&mut self, arguments: &str) -> io::Result<()> {
        if !self.answer_only(Step::Login).await? {
            return Ok(());
        }
        let (mechanism, initial) = arguments.split_once(' ').unwrap_or((arguments, ""));
        let given = if mechanism.eq_ignore_ascii_case("PLAIN") {
            let text = if initial.is_empty() { self.ask("").await? } else { decoded(initial) };
            let mut parts = text.split('\0').skip(1).map(str::to_owned);
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        } else {
            (self.ask("Username:").await?, self.ask("Password:").await?)
        };
        self.is_logged_in = self.shared.login.as_ref() == Some(&given);
        self.say(if self.is_logged_in { "235 2.7.0 welcome" } else { "535 5.7.8 not you" }).await
    }

    async fn ask(&mut self, question: &str) -> io::Result<String> {
        self.say(&format!("334 {}", STANDARD.encode(question))).await?;
        Ok(decoded(&self.line().await?))
    }

    /// Follows the script, or else answers; says whether it answered.
    async fn answer(&mut self, step: Step, reply: &str) -> io::Result<bool> {
        let follows = self.answer_only(step).await?;
        if follows {
            self.say(reply).await?;
        }
        Ok(follows)
    }

    async fn answer_only(&mut self, step: Step) -> io::Result<bool> {
        let reaction = self.shared.with(|state| state.script.reaction(step, &self.to));
        match reaction {
            None => Ok(true),
            Some(Reaction::Late(wait)) => {
                sleep(wait).await;
                Ok(true)
            }
            Some(reaction) => self.react(reaction).await.map(|()| false),
        }
    }

    async fn react(&mut self, reaction: Reaction) -> io::Result<()> {
        match reaction {
            Reaction::Reply(line) => self.say(&line).await,
            Reaction::Quote(code) => self.say(&format!("{code} nothing to quote")).await,
            Reaction::Late(_) => Ok(()),
            Reaction::Hang => pending().await,
            Reaction::Disconnect => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        self.stream.flush().await
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.shared.with(|state| state.wire.extend_from_slice(line.as_bytes()));
        Ok(line.trim_end().to_owned())
    }
}

/// The address of `FROM:<address> …` or `TO:<address> …`.
fn path(argument: &str) -> String {
    let inside = argument.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or_else(|| argument.to_owned(), |(address, _)| address.to_owned())
}

fn decoded(text: &str) -> String {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
