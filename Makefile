# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target is one nox session; no logic lives here. `.venv/bin/nox -l` lists what there is beside these.

.DEFAULT_GOAL := help
.PHONY: help lab test test-all bench bench-full bench-peers bench-fleet docs build clean
NOX := .venv/bin/nox --session

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

lab:  ## Build the lab and prove its connectivity, in a throw-away sandbox; TARGET=HOST for a real host
	@tools/bootstrap.sh
	@$(NOX) lab -- $(TARGET)

test:  ## Every check, with a summary at the end
	@tools/bootstrap.sh
	@$(NOX) test

test-all:  ## Every check in every combination, all of the reliability suite; takes longer
	@tools/bootstrap.sh
	@$(NOX) test-all

bench:  ## Measure: a no-op run, stars of 10 and 100 namespaces beside ip -batch
	@tools/bootstrap.sh
	@$(NOX) bench

bench-full:  ## Measure with stars of up to 1000 namespaces and 5000 foreign links: all goals; 20 minutes
	@tools/bootstrap.sh
	@$(NOX) bench -- --full

bench-peers:  ## Measure: the same star by other tools, and by loops of tasks
	@tools/bootstrap.sh
	@$(NOX) bench-peers

bench-fleet:  ## Measure, as root: a topology on each of 20 hosts over SSH, beside ansible.builtin.ping
	@tools/bootstrap.sh
	@$(NOX) bench-fleet

docs:  ## The documentation as HTML, in build/docs
	@tools/bootstrap.sh
	@$(NOX) docs

build:  ## The collection as an installable file, in build/
	@tools/bootstrap.sh
	@$(NOX) build

clean:  ## Remove what the other targets made, except .venv
	@tools/bootstrap.sh
	@$(NOX) clean
