//! A stranger's `X-Forwarded-For` changes nothing; a proxy's names the right-most
//! address that is no proxy.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use portcullis_http::fuzzing::forwarded;

fuzz_target!(|input: &[u8]| {
    let lines: Vec<_> = input.split(|byte| *byte == b'\n').collect();
    let trusted: [IpNet; 1] = ["10.0.0.0/8".parse().expect("a network")];
    let stranger = IpAddr::from(Ipv4Addr::new(192, 0, 2, 1));
    assert_eq!(forwarded(stranger, &lines, &trusted), stranger);
    let proxy = IpAddr::from(Ipv4Addr::new(10, 0, 0, 1));
    let client = forwarded(proxy, &lines, &trusted);
    assert_eq!(client, client.to_canonical(), "an address with two spellings");
    // Whatever a client writes to the left of what the proxy adds is not read.
    let added = [lines.as_slice(), &[b"198.51.100.7"]].concat();
    let told = forwarded(proxy, &added, &trusted);
    assert_eq!(told, IpAddr::from(Ipv4Addr::new(198, 51, 100, 7)));
});
