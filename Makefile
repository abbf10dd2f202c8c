# `make` lists the targets. Set-up is part of them: `make demo` and `make test` are all that a fresh machine needs.

# A few at a time: started all at once on two cores, hundreds of tests wait for each other longer than anything they test may take.
# The compiler refuses an import that Package.swift does not declare: the arrows between modules are what it checks.
BUILD = swift build --explicit-target-dependency-import-check error
SWIFT_TEST = SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=6 swift test --parallel \
	--explicit-target-dependency-import-check error
INTEROP = .venv-interop/bin/python
SHELL = /bin/bash

.PHONY: help setup test-setup build release demo test test-stores crash interop tempest chaos chaos-quick bench docs lint format tsan \
	asan fuzz clean

help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-11s %s\n", $$1, $$2}'

setup: ## Installs what is missing (Debian packages); does nothing the second time
	@scripts/setup

test-setup: setup
	@scripts/setup tests

build: setup ## Builds everything for development
	$(BUILD) --build-tests

release: setup ## Builds the baton command, optimised
	swift build -c release --product baton

demo: ## Kills a server in mid-download and finishes from the next; IMAGE=path takes your own image
	@scripts/demo --announce $(IMAGE)
	@$(MAKE) --no-print-directory release
	@scripts/demo $(IMAGE)

test: test-setup build ## Runs all tests; installs Keystone, Swift and OpenStack's clients in virtual environments the first time
	$(SWIFT_TEST)
	$(INTEROP) -m pytest Tests/Interop

test-stores: test-setup ## Runs the scenarios with Ceph's radosgw, which is installed the first time (as root)
	@scripts/radosgw install
	BATON_TEST_STORES=1 $(SWIFT_TEST) --filter RadosgwScenarios

crash: build release ## Kills baton serve 200 times under load and looks what it lost; ROUNDS=20 for a quick look
	BATON_CRASH_ROUNDS=$${ROUNDS:-200} BATON_TEST_COMMAND=$(CURDIR)/.build/release/baton \
		swift test --skip-build --filter CrashScenarios

interop: test-setup ## Tests OpenStack's clients, and OpenStack's own tests, against baton serve
	swift build --product baton
	$(INTEROP) -m pytest Tests/Interop

tempest: test-setup ## Runs OpenStack's own tests and writes docs/tempest.md again
	swift build --product baton
	$(INTEROP) Tests/Interop/tempest_table.py --write

bench: release ## Measures throughput, memory and the failover gap beside nginx, and the catalog at two sizes
	@benchmarks/run
	@swift run -c release catalog-bench

chaos: test-setup release ## Downloads while stores break, 11,000 times, beside nginx, HAProxy and aria2; SEED=n repeats a run
	swift run -c release chaos --peers $(if $(SEED),--seed $(SEED))

chaos-quick: test-setup release ## The same in two minutes, without the others
	swift run -c release chaos --quick --downloads 600 --clients 12 $(if $(SEED),--seed $(SEED))

docs: build ## Builds the documentation of the modules with DocC
	scripts/documentation

lint: build ## Checks imports, the format of the code, words, generated documents, the threat model, file sizes and names, waits, and scripts
	swift format lint --strict --parallel --recursive Package.swift Sources backends Tests benchmarks
	scripts/check-words
	scripts/module-graph --check
	scripts/log-reference --check
	scripts/configuration-reference --check
	scripts/cli-reference --check
	scripts/check-threats
	scripts/check-files
	scripts/check-waits
	shellcheck scripts/setup scripts/documentation scripts/interop-env scripts/demo scripts/check-reports scripts/commit-msg \
		scripts/fuzz .ci/run

format: ## Formats all Swift code in place
	swift format --in-place --parallel --recursive Package.swift Sources backends Tests benchmarks

tsan: test-setup ## Runs the tests under the thread sanitizer, the servers they start included
	@rm -rf .build-tsan/reports && mkdir -p .build-tsan/reports
	TSAN_OPTIONS="suppressions=$(CURDIR)/Tests/tsan.suppressions log_path=$(CURDIR)/.build-tsan/reports/race" \
		swift test --sanitize=thread --scratch-path .build-tsan --no-parallel
	@scripts/check-reports .build-tsan/reports

asan: test-setup ## Runs the tests under the address and leak sanitizer, the servers they start included
	@rm -rf .build-asan/reports && mkdir -p .build-asan/reports
	ASAN_OPTIONS="log_path=$(CURDIR)/.build-asan/reports/error" \
		LSAN_OPTIONS="suppressions=$(CURDIR)/Tests/lsan.suppressions:print_suppressions=0" \
		swift test --sanitize=address --scratch-path .build-asan --no-parallel
	@scripts/check-reports .build-asan/reports

fuzz: setup ## Feeds the parsers with made-up input, a minute each; SECONDS_EACH=10 for a quick look
	@scripts/fuzz

clean: ## Removes everything that was built
	rm -rf .build .build-tsan .build-asan .build-fuzz
