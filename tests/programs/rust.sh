# Rust by Debian's packages: cargo builds and tests a small crate without a network.
# needs: /usr/bin/cargo /usr/bin/rustc
# seconds: 300
export CARGO_HOME=$PWD/cargo
mkdir -p crate/src; cd crate
printf '[package]\nname = "small"\nversion = "0.1.0"\nedition = "2018"\n' > Cargo.toml
cat > src/main.rs <<'R'
use std::sync::mpsc;
use std::{fs, process, thread};
fn sum(n: u64) -> u64 { (0..n).sum() }
fn main() {
    let (tx, rx) = mpsc::channel();
    for i in 0..8 { let tx = tx.clone(); thread::spawn(move || tx.send(sum(i * 1000)).unwrap()); }
    drop(tx);
    println!("{}", rx.iter().sum::<u64>());
    fs::write("out", "text").unwrap();
    println!("{}", fs::read_to_string("out").unwrap());
    let out = process::Command::new("sh").args(["-c", "echo child"]).output().unwrap();
    println!("{:?} {:?}", String::from_utf8(out.stdout), out.status.code());
}
#[test]
fn sums() { assert_eq!(sum(4), 6); }
R
/usr/bin/cargo build --offline -q 2>&1 && ./target/debug/small; /usr/bin/cargo test --offline -q 2>&1 | grep "test result" | sed 's/finished in.*//'
