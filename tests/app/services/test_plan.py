"""What is to be done with services when the workspace becomes another."""

from dataclasses import replace

from app.services.config import ServiceConfig
from app.services.plan import Plan, plan


def config(name: str, port: int, **more: object) -> ServiceConfig:
    return ServiceConfig(name, "tcp", "127.0.0.1", port, "echo", **more)  # type: ignore[arg-type]


A, B, C = config("a", 1), config("b", 2), config("c", 3)


def test_what_is_the_same_is_left_alone() -> None:
    assert plan((A, B), (B, A), {}) == Plan((), {"a": A, "b": B}, (), (), ())


def test_what_is_not_wanted_is_gone_and_what_is_new_is_not_planned_for() -> None:
    assert plan((A, B), (B, C), {}) == Plan(("a",), {"b": B}, (), (), ())


def test_a_group_is_no_change_for_clients_and_an_address_is() -> None:
    grouped, moved, limited = replace(A, group="Bench"), replace(B, port=9), replace(C, limits={"idle_seconds": 9})
    planned = plan((A, B, C), (grouped, moved, limited), {})
    assert (planned.regrouped, planned.changed, planned.moved) == (("a",), ("b", "c"), ("b",))


def test_a_renamed_service_is_known_by_its_old_name() -> None:
    renamed = replace(A, name="z")
    assert plan((A,), (renamed,), {"a": "z"}) == Plan((), {"a": renamed}, (), ("a",), ())
    assert plan((A,), (renamed,), {}).gone == ("a",)
