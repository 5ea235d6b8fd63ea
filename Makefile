# The two commands of a newcomer: `make demo` measures, `make test` checks everything. Neither asks a question.

.PHONY: demo test install build fmt clippy unit smoke

demo: install
	cargo build --release --locked
	./target/release/callbench demo

test: install fmt clippy unit smoke

install:
	@command -v cargo >/dev/null || { echo 'callbench: please install Rust 1.94 or newer (rustup.rs).' >&2; exit 2; }
	@./cluster/install.sh

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Unit, property and integration tests; those that need PostgreSQL or Redis start a private one.
unit:
	cargo test --workspace --locked

# The whole walk at scale tiny, from an empty folder: cluster, seed, both variants, verdicts, report.
smoke:
	cargo build --locked
	./target/debug/callbench demo --quick --budgets benches/smoke.toml
