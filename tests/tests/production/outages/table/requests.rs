//! Every request that there is, and what it was answered.

use std::time::{Duration, Instant};

use portcullis_tests::{Answer, PASSWORD};
use serde_json::json;
use tokio::task::JoinSet;

use super::cast::Cast;
use super::world::{ANN, JOHN, PAT, World};

/// Below this, no limit has run out: the shortest that a client waits for is two
/// seconds long.
const AT_ONCE: Duration = Duration::from_millis(1_900);
/// What is documented as at once may take so long here, where several worlds hash at
/// the same time.
const AT_ONCE_ON_A_BUSY_MACHINE: Duration = Duration::from_millis(2_500);
/// What the table calls the one and the other.
const SOON: &str = "at once";
const LATER: &str = "2 to 5 s";

/// A request, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Request {
    Health,
    Live,
    Ready,
    Document,
    Keys,
    Register,
    SignUp,
    Verify,
    VerifyByLink,
    Resend,
    LoginJson,
    LoginForm,
    Refresh,
    Me,
    UsersMe,
    PatchMe,
    LogoutA,
    LogoutB,
    AskReset,
    Reset,
}

impl Request {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Health => "`GET /health`",
            Self::Live => "`GET /health/live`",
            Self::Ready => "`GET /health/ready`",
            Self::Document => "`GET /openapi.json`",
            Self::Keys => "`GET /.well-known/jwks.json`",
            Self::Register => "`POST /auth/register`",
            Self::SignUp => "`POST /auth/signup`",
            Self::Verify => "`POST /auth/verify-email`",
            Self::VerifyByLink => "`GET /auth/verify-email/…`",
            Self::Resend => "`POST /auth/verify-email/resend`",
            Self::LoginJson => "`POST /auth/login` (JSON)",
            Self::LoginForm => "`POST /auth/login` (form)",
            Self::Refresh => "`POST /auth/refresh`",
            Self::Me => "`GET /auth/me`",
            Self::UsersMe => "`GET /users/me`",
            Self::PatchMe => "`PATCH /auth/me`",
            Self::LogoutA => "`POST /auth/logout`",
            Self::LogoutB => "`POST /auth/logout`, no body",
            Self::AskReset => "`POST /auth/password-reset/request`",
            Self::Reset => "`POST /auth/password-reset/confirm`",
        }
    }

    /// The status when nothing is wrong.
    pub(super) fn usual(self) -> u16 {
        match self {
            Self::Register | Self::SignUp => 201,
            Self::LogoutA => 204,
            _ => 200,
        }
    }

    pub(super) fn needs_the_database(self) -> bool {
        ![Self::Live, Self::Document, Self::Keys].contains(&self)
    }
}

/// What a request was answered, and how soon.
pub(super) struct Seen {
    pub(super) request: Request,
    pub(super) answer: Answer,
    pub(super) took: Duration,
}

impl Seen {
    /// As it stands in the table.
    pub(super) fn told(&self) -> String {
        format!("{}; {}", self.outcome(), if self.took < AT_ONCE { SOON } else { LATER })
    }

    fn outcome(&self) -> String {
        let status = self.answer.status;
        match self.answer.header("retry-after") {
            Some(seconds) => format!("{status}, again in {seconds} s"),
            None => status.to_string(),
        }
    }

    /// Whether a cell of the table tells this: the answer to the letter, and its time
    /// unless the machine was busy.
    pub(super) fn is_told_by(&self, cell: &str) -> bool {
        let Some((outcome, time)) = cell.split_once("; ") else { return false };
        let in_time = match time {
            SOON => self.took < AT_ONCE_ON_A_BUSY_MACHINE,
            LATER => self.took >= AT_ONCE,
            _ => false,
        };
        in_time && outcome == self.outcome()
    }
}

/// Requests under way, all at the same time.
pub(super) struct Asked(JoinSet<Seen>);

impl Asked {
    pub(super) fn everything(world: &World, cast: &Cast) -> Self {
        let mut asked = Self(JoinSet::new());
        asked.of_strangers(world, cast);
        asked.with_mailed_tokens(world, cast);
        asked.in_sessions(cast);
        asked
    }

    fn of_strangers(&mut self, world: &World, cast: &Cast) {
        let (anonymous, number) = (world.anonymous(), cast.number);
        for (request, path) in [
            (Request::Health, "/health"),
            (Request::Live, "/health/live"),
            (Request::Ready, "/health/ready"),
            (Request::Document, "/openapi.json"),
            (Request::Keys, "/.well-known/jwks.json"),
        ] {
            let one = anonymous.clone();
            self.ask(request, async move { one.get(path).await });
        }
        let one = anonymous.clone();
        self.ask(Request::Register, async move {
            one.register(&format!("new{number}@example.com")).await
        });
        let one = anonymous.clone();
        self.ask(Request::SignUp, async move {
            one.sign_up(&format!("new{number}"), &format!("other{number}@example.com")).await
        });
        let one = anonymous.clone();
        self.ask(Request::LoginJson, async move { one.log_in(ANN, PASSWORD).await });
        let one = anonymous.clone();
        self.ask(Request::LoginForm, async move { one.log_in_by_form(JOHN, PASSWORD).await });
        let one = anonymous.clone();
        self.ask(Request::Resend, async move {
            one.post("/api/v1/auth/verify-email/resend", &json!({"email": PAT})).await
        });
        self.ask(Request::AskReset, async move { anonymous.request_reset(PAT).await });
    }

    fn with_mailed_tokens(&mut self, world: &World, cast: &Cast) {
        let anonymous = world.anonymous();
        let [posted, opened] = cast.verifications.clone();
        let one = anonymous.clone();
        self.ask(Request::Verify, async move { one.verify(&posted).await });
        let one = anonymous.clone();
        self.ask(Request::VerifyByLink, async move {
            one.get(&format!("/api/v1/auth/verify-email/{opened}")).await
        });
        let reset = cast.reset.clone();
        self.ask(Request::Reset, async move {
            anonymous.confirm_reset(&reset, "NewSecurePass456!").await
        });
    }

    fn in_sessions(&mut self, cast: &Cast) {
        let session = cast.staying.clone();
        self.ask(Request::Me, async move { session.me().await });
        let session = cast.staying.clone();
        self.ask(Request::UsersMe, async move { session.users_me().await });
        let session = cast.staying.clone();
        self.ask(Request::PatchMe, async move { session.patch_me(&json!({"name": "Ann"})).await });
        let session = cast.refreshing.clone();
        self.ask(
            Request::Refresh,
            async move { session.anonymous().refresh(&session.refresh).await },
        );
        let [json, form] = cast.leaving.clone();
        self.ask(Request::LogoutA, async move { json.log_out().await });
        self.ask(Request::LogoutB, async move { form.log_out_without_body().await });
    }

    fn ask(&mut self, request: Request, answer: impl Future<Output = Answer> + Send + 'static) {
        self.0.spawn(async move {
            let started = Instant::now();
            let answer = answer.await;
            Seen { request, answer, took: started.elapsed() }
        });
    }

    /// Everything that was answered, in the order of the table.
    pub(super) async fn answers(self) -> Vec<Seen> {
        let mut seen = self.0.join_all().await;
        seen.sort_by_key(|seen| seen.request);
        seen
    }
}
