//! Random requests of attackers and broken clients.

use std::collections::BTreeMap;
use std::iter::repeat_with;

use fastrand::Rng;
use tests::routes;

/// Existing ids and valid tokens, so that some requests are accepted.
pub struct Target {
    pub conversations: Vec<i64>,
    pub messages: Vec<i64>,
    pub users: Vec<i64>,
    /// Values of `Authorization`.
    pub tokens: Vec<String>,
}

const METHODS: [&str; 10] = [
    "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "BREW", "get",
];

/// Pieces of paths and values of parameters.
const JUNK: [&str; 36] = [
    "",
    "0",
    "-1",
    "+1",
    "1.5",
    "1e9",
    "00000000000000000001",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "99999999999999999999999999999999",
    "NaN",
    "null",
    "true",
    "undefined",
    "[]",
    "{}",
    "1;2",
    "1'--",
    "1%27%20or%201=1",
    "%00",
    "1%00",
    "%",
    "%zz",
    "%ff%fe",
    "%f0%9f%92%a9",
    "..",
    "%2e%2e",
    "%2F",
    "a%0d%0ab",
    "*",
    "$1",
    ":id",
    "online",
    "stream-tickets",
];

const NAMES: [&str; 12] = [
    "conversationId",
    "limit",
    "before",
    "after",
    "userId",
    "cursor",
    "ticket",
    "lastEventId",
    "content",
    "userId[]",
    "%",
    "__proto__",
];

/// Values of members, as JSON or as what is nearly JSON.
const VALUES: [&str; 30] = [
    "null",
    "true",
    "0",
    "-1",
    "1.5",
    "1e400",
    "-0",
    "9007199254740993",
    "123456789012345678901234567890",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"a\\u0000b\"",
    "\"\\ud800\"",
    "\"\\u202e\\u0007\"",
    "\"\u{feff}x\"",
    "\"1\"",
    "\"null\"",
    "[]",
    "[[]]",
    "[1]",
    "[null]",
    "[\"1\"]",
    "{}",
    "{\"a\":{\"a\":{}}}",
    "\"<script>alert(1)</script>\"",
    "\"'; drop table messages; --\"",
    "\"\\r\\n\\r\\nHTTP/1.1 200 OK\"",
    "\"unended",
    "nul",
];

const MEMBERS: [&str; 12] = [
    "conversationId",
    "senderId",
    "content",
    "clientMessageId",
    "replyToId",
    "title",
    "participantIds",
    "userId",
    "isTyping",
    "ConversationId",
    "",
    "__proto__",
];

const CONTENT_TYPES: [&str; 8] = [
    "application/json",
    "application/json",
    "application/json; charset=utf-8",
    "application/problem+json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "",
    ";;;=",
];

/// A request, ready to be sent.
pub struct Request {
    pub bytes: Vec<u8>,
    pub is_head: bool,
    /// A description for the message of a failure.
    pub summary: String,
}

/// Generates a request.
pub fn request(rng: &mut Rng, target: &Target) -> Request {
    // To a client that is still sending a body which is not read, no more can be sent than its connection
    // holds: so not this long document.
    let routes: Vec<_> = routes::all()
        .filter(|route| route.path != "/api/v1/openapi.json")
        .collect();
    let rule = routes[rng.usize(..routes.len())];
    let method = match rng.u8(..) {
        0..200 => rule.method.as_str(),
        _ => pick(rng, &METHODS),
    };
    let path = path(rng, target, rule.path) + &query(rng, target);
    let body = body(rng, target);
    let mut bytes = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n").into_bytes();
    for (name, value) in headers(rng, target) {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes());
    let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
    bytes.extend(body);
    Request {
        bytes,
        is_head: method == "HEAD",
        summary: format!("{method} {path} {shown}"),
    }
}

fn path(rng: &mut Rng, target: &Target, route: &str) -> String {
    let mut path = String::new();
    for segment in route.split('/').skip(1) {
        path.push('/');
        path.push_str(&match segment {
            "..." => junk(rng),
            ":id" | ":userId" => id(rng, target),
            segment if rng.u8(..) < 8 => format!("{segment}{}", junk(rng)),
            segment => segment.to_owned(),
        });
    }
    match rng.u8(..) {
        0..4 => path + "/",
        4..8 => path.replacen('/', "//", 1 + rng.usize(..3)),
        8..12 => path + "/" + &junk(rng),
        12..14 => path + &"/x".repeat(500),
        _ => path,
    }
}

fn query(rng: &mut Rng, target: &Target) -> String {
    let count = [0, 0, 1, 1, 2, 5][rng.usize(..6)];
    let pair = |rng: &mut Rng| {
        let value = if rng.bool() {
            id(rng, target)
        } else {
            junk(rng)
        };
        format!("{}={value}", pick(rng, &NAMES))
    };
    let pairs: Vec<_> = repeat_with(|| pair(rng)).take(count).collect();
    match pairs.len() {
        0 => String::new(),
        _ => format!("?{}", pairs.join(pick(rng, &["&", "&", "&", ";", "&&"]))),
    }
}

fn headers(rng: &mut Rng, target: &Target) -> Vec<(&'static str, String)> {
    let mut headers = vec![];
    if rng.u8(..) > 16 {
        headers.push(("content-type", pick(rng, &CONTENT_TYPES).into()));
    }
    match rng.u8(..) {
        0..24 => headers.push(("authorization", format!("Bearer {}", text(rng, 200)))),
        24..32 => headers.push(("authorization", text(rng, 40))),
        _ => {
            let token = &target.tokens[rng.usize(..target.tokens.len())];
            headers.push(("authorization", token.clone()));
        }
    }
    const OTHERS: [&str; 14] = [
        "x-request-id",
        "last-event-id",
        "accept",
        "cookie",
        "origin",
        "spin-matched-route",
        "spin-path-match-id",
        "spin-path-match-userid",
        "spin-client-addr",
        "x-forwarded-for",
        "if-none-match",
        "accept-encoding",
        "range",
        "x-http-method-override",
    ];
    for _ in 0..rng.usize(..4) {
        let value = if rng.bool() {
            junk(rng)
        } else {
            text(rng, 300)
        };
        headers.push((pick(rng, &OTHERS), value));
    }
    headers
}

fn body(rng: &mut Rng, target: &Target) -> Vec<u8> {
    match rng.u8(..) {
        0..24 => vec![],
        24..40 => bytes(rng),
        40..44 => "[".repeat(20_000).into_bytes(),
        44..46 => format!("{{\"content\":{0}1{1}}}", "[".repeat(500), "]".repeat(500)).into(),
        46..48 => format!("{{\"content\":\"{}\"}}", "x".repeat(150_000)).into_bytes(),
        48..52 => b"{\"content\":\"\xff\xc0\x80\"}".to_vec(),
        52..56 => pick(rng, &VALUES).as_bytes().to_vec(),
        _ => object(rng, target).into_bytes(),
    }
}

fn bytes(rng: &mut Rng) -> Vec<u8> {
    let length = rng.usize(..100);
    repeat_with(|| rng.u8(..)).take(length).collect()
}

/// The members of all routes, with random changes.
fn object(rng: &mut Rng, target: &Target) -> String {
    let user = target.users[rng.usize(..target.users.len())];
    let mut members = BTreeMap::from([
        ("conversationId", target.conversations[0].to_string()),
        ("senderId", user.to_string()),
        ("userId", user.to_string()),
        ("participantIds", format!("[{user}]")),
        ("content", "\"Hi\"".to_owned()),
        ("isTyping", "true".to_owned()),
    ]);
    for _ in 0..rng.usize(..3) {
        members.insert(pick(rng, &MEMBERS), value(rng, target));
    }
    if rng.u8(..) < 64 {
        members.insert("content", pick(rng, &VALUES).into());
    }
    if rng.u8(..) < 32 {
        members.remove(pick(rng, &MEMBERS));
    }
    let mut members: Vec<_> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    if rng.u8(..) < 16 {
        members.extend(members.first().cloned());
    }
    format!("{{{}}}", members.join(","))
}

fn value(rng: &mut Rng, target: &Target) -> String {
    match rng.u8(..3) {
        0 => pick(rng, &VALUES).to_owned(),
        1 => id(rng, target),
        _ => format!("\"{}\"", text(rng, 30)),
    }
}

/// Usually an id that exists, else junk.
fn id(rng: &mut Rng, target: &Target) -> String {
    let ids = [&target.conversations, &target.messages, &target.users];
    let ids = ids[rng.usize(..3)];
    match rng.u8(..4) {
        0 => junk(rng),
        _ => ids[rng.usize(..ids.len())].to_string(),
    }
}

fn junk(rng: &mut Rng) -> String {
    match rng.u8(..) {
        0..8 => "9".repeat(3000),
        8..40 => text(rng, 20).replace([' ', '\\', '"'], "%"),
        _ => pick(rng, &JUNK).into(),
    }
}

/// Visible characters, some of them not ASCII.
fn text(rng: &mut Rng, most: usize) -> String {
    let character = |rng: &mut Rng| match rng.u8(..16) {
        0 => 'é',
        1 => '\u{1f4a9}',
        _ => char::from(rng.u8(b' '..=b'~')),
    };
    let length = rng.usize(..most);
    repeat_with(|| character(rng)).take(length).collect()
}

fn pick(rng: &mut Rng, all: &[&'static str]) -> &'static str {
    all[rng.usize(..all.len())]
}
