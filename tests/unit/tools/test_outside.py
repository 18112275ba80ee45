# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DNS responder of the simulated outside, on packets made by hand; no network needed."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[3] / "tools"


def load(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


outside = load("outside")

NAME = b"\x03www\x07example\x04test\x00"
A, AAAA, MX, ANY, IN = b"\x00\x01", b"\x00\x1c", b"\x00\x0f", b"\x00\xff", b"\x00\x01"
V4 = bytes([203, 0, 113, 10])
V6 = bytes.fromhex("20010db8020300000000000000000010")
RR_A = b"\xc0\x0c" + A + IN + b"\x00\x00\x00\x3c" + b"\x00\x04" + V4
RR_AAAA = b"\xc0\x0c" + AAAA + IN + b"\x00\x00\x00\x3c" + b"\x00\x10" + V6


def query(question, flags=b"\x01\x00", count=b"\x00\x01", extra=b"\x00\x00"):
    return b"\xbe\xef" + flags + count + b"\x00\x00\x00\x00" + extra + question


def response(question, answers=(), flags=b"\x85\x80"):
    return b"\xbe\xef" + flags + b"\x00\x01" + bytes([0, len(answers)]) + b"\x00\x00\x00\x00" + question + b"".join(answers)


@pytest.mark.parametrize(
    "kind, answers",
    [(A, [RR_A]), (AAAA, [RR_AAAA]), (ANY, [RR_A, RR_AAAA]), (MX, [])],
    ids=["A", "AAAA", "ANY", "no record of this type"],
)
def test_known_name(kind, answers):
    assert outside.answer_dns(query(NAME + kind + IN)) == response(NAME + kind + IN, answers)


def test_spelling_of_the_question_comes_back():
    question = b"\x03wWw\x07ExAmple\x04TEST\x00" + A + IN
    assert outside.answer_dns(query(question)) == response(question, [RR_A])


def test_recursion_desired_is_copied_only_when_asked():
    assert outside.answer_dns(query(NAME + A + IN, flags=b"\x00\x00"))[2:4] == b"\x84\x80"


def test_edns_option_is_ignored():
    packet = query(NAME + A + IN, extra=b"\x00\x01") + b"\x00\x00\x29\x10\x00\x00\x00\x00\x00\x00\x00"
    assert outside.answer_dns(packet) == response(NAME + A + IN, [RR_A])


@pytest.mark.parametrize("name", [b"\x05other\x07example\x04test\x00", b"\x03www\x07example\x03com\x00", b"\x01x" + NAME])
def test_unknown_name_does_not_exist(name):
    assert outside.answer_dns(query(name + A + IN)) == response(name + A + IN, flags=b"\x85\x83")


@pytest.mark.parametrize("name", [b"\x07example\x04test\x00", b"\x04test\x00"])
def test_name_above_the_known_one_exists_without_records(name):
    assert outside.answer_dns(query(name + A + IN)) == response(name + A + IN)


@pytest.mark.parametrize(
    "question, count",
    [
        (b"", b"\x00\x00"),
        (NAME + A + IN + NAME + A + IN, b"\x00\x02"),
        (NAME + A, b"\x00\x01"),
        (b"\x3fshort", b"\x00\x01"),
        (b"\xc0\x0c" + A + IN, b"\x00\x01"),
        (b"\x03www", b"\x00\x01"),
    ],
    ids=["no question", "two questions", "no class", "label longer than the packet", "pointer to itself", "name without an end"],
)
def test_malformed_query_gets_a_format_error(question, count):
    assert outside.answer_dns(query(question, count=count)) == b"\xbe\xef\x85\x81" + bytes(8)


def test_other_operation_is_not_implemented():
    assert outside.answer_dns(query(NAME + A + IN, flags=b"\x28\x00")) == b"\xbe\xef\xac\x84" + bytes(8)


@pytest.mark.parametrize("packet", [b"", b"\xbe\xef\x01\x00\x00\x01", query(NAME + A + IN, flags=b"\x81\x80")])
def test_no_answer_to_fragments_and_to_responses(packet):
    assert outside.answer_dns(packet) is None


def test_own_query_is_the_hand_made_one():
    assert outside.make_query("www.example.test", 28, 0xBEEF) == query(NAME + AAAA + IN)


@pytest.mark.parametrize(
    "address, expected",
    [("::ffff:198.51.100.2", "198.51.100.2"), ("2001:db8::1", "2001:db8::1"), ("::ffff:1", "::ffff:1")],
)
def test_plain_address(address, expected):
    assert outside.plain(address) == expected
