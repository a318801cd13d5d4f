//! The ways to spoil a request.

use portcullis_tests::Random;
use serde_json::Value;

use super::draft::Draft;
use crate::routes::ROUTES;

/// Texts that some parser somewhere stumbled over.
const TEXTS: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "\n",
    "\r\nX: y",
    "\u{feff}",
    "\u{202e}",
    "\u{10ffff}",
    "\u{301}\u{301}",
    "İ",
    "ı",
    "ß",
    "ﬁ",
    "Ａ",
    "ａｎｎ@example.com",
    "ann@exämple.com",
    "ann@xn--",
    "ann@xn--a.com",
    "ann@[127.0.0.1]",
    "\"a b\"@example.com",
    "a@b@c",
    "@",
    "ann@",
    "@example.com",
    "ann@.",
    "ann@a..b",
    "' OR '1'='1",
    "\"; DROP TABLE users; --",
    "{{7*7}}",
    "${7*7}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "%00",
    "%s%s%s%n",
    "NaN",
    "-1",
    "1e309",
    "true",
    "null",
    "undefined",
    "$argon2id$v=19$m=1,t=1,p=1$AA$AA",
    "$2b$31$",
    "e30.e30.",
    "..",
    ".",
    "a.b.c",
    "eyJhbGciOiJub25lIn0.e30.",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "=",
    "====",
    "password1",
    "12345678",
    "éàüöñçøå",
    "パスワードは長いほうがよい",
];

const TARGETS: &[&str] = &[
    "/",
    "//",
    "*",
    "/api",
    "/api/v1/auth/",
    "/api/v1/auth/me/x.css",
    "/docs/../api",
    "/%",
    "/%00",
    "/%2e%2e/%2e%2e/etc/passwd",
    "http://evil.test/health",
    "evil.test:443",
    "/assets/nothing",
    "/docs/%2e%2e",
    "/.well-known/",
    "/dev/mailbox?to=%00",
    "/api/v1/auth/verify-email/",
    "/api/v1/auth/verify-email/%E0%80%80",
    "/health?x=%zz",
    "/?",
    "/#",
    "/;",
    "/\\",
    "",
];

/// The name of a way, and the way.
type Mutation = (&'static str, fn(&mut Random, &mut Draft));

/// The ways to spoil a request.
pub(super) const MUTATIONS: &[Mutation] = &[
    ("other method", |d, r| {
        r.method = d
            .one_of(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
            .as_bytes()
            .to_vec();
    }),
    ("odd method", |d, r| {
        r.method = d
            .one_of(&["TRACE", "CONNECT", "FOO", "get", "", "G\u{e9}T", "GET\t", "M-SEARCH"])
            .as_bytes()
            .to_vec();
    }),
    ("other path", |d, r| r.target = d.one_of(ROUTES).path.into()),
    ("odd target", |d, r| r.target = d.one_of(TARGETS).as_bytes().to_vec()),
    ("byte in target", |d, r| {
        let at = d.below(r.target.len() + 1);
        let byte = d.byte();
        r.target.insert(at, byte);
    }),
    ("escaped byte in target", |d, r| {
        let at = d.below(r.target.len() + 1);
        let text = format!("%{:02x}", d.byte());
        r.target.splice(at..at, text.into_bytes());
    }),
    ("target cut", |d, r| {
        let at = d.below(r.target.len() + 1);
        r.target.truncate(at);
    }),
    ("target doubled", |_, r| r.target.extend(r.target.clone())),
    ("long target", |d, r| {
        let length = 1 << d.below(16);
        r.target.extend(vec![b'a'; length]);
    }),
    ("query", |d, r| {
        r.target.push(b'?');
        r.target.extend(d.one_of(TEXTS).as_bytes());
    }),
    ("query of fields", |d, r| {
        let body = r.body.clone();
        let at = d.below(body.len() + 1);
        r.target.push(b'?');
        r.target.extend(&body[..at]);
    }),
    ("token in path", |d, r| {
        r.target = b"/api/v1/auth/verify-email/".to_vec();
        for byte in d.one_of(TEXTS).bytes() {
            r.target.extend(format!("%{byte:02x}").bytes());
        }
    }),
    ("other version", |d, r| {
        r.version = d
            .one_of(&["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "http/1.1", "", "HTTP/1.1 "])
            .as_bytes()
            .to_vec();
    }),
    ("bare line feeds", |_, r| r.end = b"\n"),
    ("bare carriage returns", |_, r| r.end = b"\r"),
    ("no host", |_, r| {
        r.headers.remove(0);
    }),
    ("two hosts", |_, r| r.header("Host", "evil.test")),
    ("odd host", |d, r| r.headers[0].1 = d.one_of(TEXTS).as_bytes().to_vec()),
    ("no bearer", |_, r| r.headers.retain(|(name, _)| name != b"Authorization")),
    ("odd bearer", |d, r| {
        let text = *d.one_of(TEXTS);
        r.header("Authorization", format!("Bearer {text}"));
    }),
    ("bearer with a wrong byte", |d, r| {
        if let Some((_, value)) = r.headers.iter_mut().find(|(name, _)| name == b"Authorization") {
            let (at, byte) = (d.below(value.len()), d.byte());
            if let Some(place) = value.get_mut(at) {
                *place = byte;
            }
        }
    }),
    ("bearer cut", |d, r| {
        if let Some((_, value)) = r.headers.iter_mut().find(|(name, _)| name == b"Authorization") {
            let at = d.below(value.len() + 1);
            value.truncate(at);
        }
    }),
    ("other scheme", |d, r| {
        let scheme =
            *d.one_of(&["Basic YTpi", "Digest x=y", "Negotiate", "Bearer", "bearer  x", "Token t"]);
        r.header("Authorization", scheme);
    }),
    ("other media type", |d, r| {
        r.headers.retain(|(name, _)| name != b"Content-Type");
        let media = *d.one_of(&[
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=x",
            "application/json; charset=utf-16",
            "application/json;;;",
            "",
            "application/xml",
            "*/*",
            "application/problem+json",
        ]);
        r.header("Content-Type", media);
    }),
    ("no media type", |_, r| r.headers.retain(|(name, _)| name != b"Content-Type")),
    ("byte in header", |d, r| {
        let chosen = d.below(r.headers.len());
        let at = d.below(r.headers[chosen].1.len() + 1);
        let byte = d.byte();
        r.headers[chosen].1.insert(at, byte);
    }),
    ("byte in header name", |d, r| {
        let chosen = d.below(r.headers.len());
        let at = d.below(r.headers[chosen].0.len() + 1);
        let byte = d.byte();
        r.headers[chosen].0.insert(at, byte);
    }),
    ("header twice", |d, r| {
        let again = d.one_of(&r.headers).clone();
        r.headers.push(again);
    }),
    ("many headers", |d, r| {
        for _ in 0..d.below(200) {
            r.header("X-Y", "z");
        }
    }),
    ("long header", |d, r| {
        let length = 1 << d.below(18);
        r.header("X-Long", vec![b'x'; length]);
    }),
    ("odd accept", |d, r| {
        let accept = *d.one_of(&[
            "text/html",
            "text/html;q=NaN",
            "*/*;q=1e999",
            ",,,",
            "text/html;q=-1",
            ";q=",
            "text/html;q=0.9999999999999999999",
        ]);
        r.header("Accept", accept);
    }),
    ("forwarded", |d, r| {
        let text = *d.one_of(TEXTS);
        r.header("X-Forwarded-For", text);
        r.header("Forwarded", text);
    }),
    ("request id", |d, r| {
        let text = *d.one_of(TEXTS);
        r.header("X-Request-ID", text);
    }),
    ("user agent", |d, r| {
        let bytes: Vec<u8> = (0..d.below(400)).map(|_| d.byte()).collect();
        r.header("User-Agent", bytes);
    }),
    ("origin", |d, r| {
        let origin = *d.one_of(&["null", "https://evil.test", "", "*", "http://[::1", "\u{e9}"]);
        r.header("Origin", origin);
        r.header("Access-Control-Request-Method", origin);
    }),
    ("expect and upgrade", |d, r| {
        let value = *d.one_of(&["100-continue", "h2c", "websocket", "200-ok"]);
        r.header("Expect", value);
        r.header("Upgrade", value);
        r.header("Connection", "Upgrade");
    }),
    ("content encoding", |d, r| {
        let value = *d.one_of(&["gzip", "identity", "", "br, gzip", "x"]);
        r.header("Content-Encoding", value);
    }),
    ("transfer encoding", |d, r| {
        let value = *d.one_of(&["chunked", "identity", "gzip", "chunked, chunked", "x"]);
        r.header("Transfer-Encoding", value);
    }),
    ("chunks", |d, r| {
        r.tells_length = false;
        r.header("Transfer-Encoding", "chunked");
        let size = d.one_of(&["", "-1", "ffffffffffffffff", "g", "0x1", "1;x=\"y"]);
        let good = format!("{:x}", r.body.len());
        let size = if d.below(2) == 0 { good.as_str() } else { size };
        r.body = [size.as_bytes(), b"\r\n", &r.body, b"\r\n0\r\n\r\n"].concat();
    }),
    ("wrong length", |d, r| {
        r.tells_length = false;
        let length = *d.one_of(&["0", "1", "99999", "-1", "18446744073709551616", "x", "1, 2"]);
        r.header("Content-Length", length);
    }),
    ("no length", |_, r| r.tells_length = false),
    ("two lengths", |d, r| {
        let length = d.below(100).to_string();
        r.header("Content-Length", length);
    }),
    ("no body", |_, r| r.body.clear()),
    ("body cut", |d, r| {
        let at = d.below(r.body.len() + 1);
        r.body.truncate(at);
    }),
    ("byte in body", |d, r| {
        let at = d.below(r.body.len() + 1);
        let byte = d.byte();
        r.body.insert(at, byte);
    }),
    ("bytes changed", |d, r| {
        for _ in 0..=d.below(8) {
            if !r.body.is_empty() {
                let at = d.below(r.body.len());
                r.body[at] = d.byte();
            }
        }
    }),
    ("body doubled", |_, r| r.body.extend(r.body.clone())),
    ("body of noise", |d, r| r.body = (0..d.below(2_000)).map(|_| d.byte()).collect()),
    ("big body", |d, r| {
        let length = 1 << d.below(19);
        r.body.resize(length, b' ');
    }),
    ("nested", |d, r| {
        let depth = 1 << d.below(15);
        let (open, close) = *d.one_of(&[("[", "]"), ("{\"a\":", "}")]);
        r.body =
            format!("{{\"email\":{}1{}}}", open.repeat(depth), close.repeat(depth)).into_bytes();
    }),
    ("wide", |d, r| {
        let fields: Vec<_> = (0..d.below(4_000)).map(|number| format!("\"{number}\":0")).collect();
        r.body = format!("{{{}}}", fields.join(",")).into_bytes();
    }),
    ("field twice", |d, r| {
        let text = String::from_utf8_lossy(&r.body).into_owned();
        let extra = *d.one_of(&["\"email\":\"x\",", "\"password\":null,", "\"\":1,"]);
        r.body = text.replacen('{', &format!("{{{extra}"), 1).into_bytes();
    }),
    ("odd text", |d, r| {
        let text = *d.one_of(TEXTS);
        r.text(d, text);
    }),
    ("long text", |d, r| {
        let length = 1 << d.below(15);
        let piece = *d.one_of(&["a", "é", "\u{301}", "a.", "-", "@", "%", "\\", "\u{1f600}"]);
        r.text(d, &piece.repeat(length));
    }),
    ("other type", |d, r| {
        let values = [
            Value::Null,
            5.into(),
            (-1).into(),
            1e300.into(),
            true.into(),
            serde_json::json!([]),
            serde_json::json!({"$ne": null}),
            serde_json::json!(["ann@example.com"]),
        ];
        let value = d.one_of(&values).clone();
        r.value(d, &value);
    }),
    ("raw number", |d, r| {
        let number = *d.one_of(&[
            "1e400",
            "-0",
            "01",
            "1.",
            ".5",
            "99999999999999999999999999999999999999999999999999999999999999",
            "+1",
            "0x1",
            "NaN",
        ]);
        r.body = format!("{{\"email\":{number}}}").into_bytes();
    }),
    ("escapes", |d, r| {
        let escape = *d.one_of(&["\\u0000", "\\ud800", "\\udc00\\ud800", "\\x", "\\u12", "\\/"]);
        r.body = format!("{{\"email\":\"{}\",\"password\":\"x\"}}", escape.repeat(1 + d.below(20)))
            .into_bytes();
    }),
    ("form of noise", |d, r| {
        let pieces = ["a=b", "=", "&", "%", "%zz", "%00=%00", "username", "+", "a=b=c", "%C0%80=x"];
        r.body =
            (0..d.below(50)).map(|_| *d.one_of(&pieces)).collect::<Vec<_>>().join("&").into_bytes();
    }),
    ("multipart of noise", |d, r| {
        r.headers.retain(|(name, _)| name != b"Content-Type");
        r.header("Content-Type", "multipart/form-data; boundary=x");
        let pieces = [
            "--x\r\n",
            "--x--\r\n",
            "Content-Disposition: form-data; name=\"username\"\r\n\r\n",
            "Content-Disposition: form-data\r\n\r\n",
            "\r\n",
            "value",
            "--y",
            "name=\"\u{e9}\"; filename=\"\"",
            "\0",
            "--x",
        ];
        r.body = (0..d.below(30)).map(|_| *d.one_of(&pieces)).collect::<String>().into_bytes();
    }),
    ("extra fields", |d, r| {
        let text = String::from_utf8_lossy(&r.body).into_owned();
        let extra = *d.one_of(&[
            "\"id\":1,",
            "\"email_verified\":true,",
            "\"role\":\"admin\",",
            "\"password_hash\":\"x\",",
            "\"__proto__\":{},",
        ]);
        r.body = text.replacen('{', &format!("{{{extra}"), 1).into_bytes();
    }),
    ("another request behind", |d, r| {
        let hidden = Draft::of(d.one_of(ROUTES), None).written();
        r.body.extend(hidden);
    }),
];
