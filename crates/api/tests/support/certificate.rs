//! Certificates for tests of whatever serves or loads them; taken in by path. It makes them and nothing else.

/// A self-made certificate for `hub.example`, in PEM, with its key, by the openssl program.
pub(super) fn made() -> (String, String) {
    const CONFIG: &str = "[req]\nprompt=no\ndistinguished_name=dn\nx509_extensions=v3\n[dn]\nCN=hub.example\n\
                          [v3]\nsubjectAltName=DNS:hub.example\n";
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("config"), CONFIG).unwrap();
    let args =
        ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let files = ["-config", "config", "-keyout", "key.pem", "-out", "cert.pem"];
    let made =
        std::process::Command::new("openssl").args(args).args(files).current_dir(folder.path()).output();
    let made = made.expect("the program openssl is needed to make certificates");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    (read("cert.pem"), read("key.pem"))
}
