//! The `capcheck` binary.

fn main() -> std::process::ExitCode {
    capcheck::cli::main()
}
