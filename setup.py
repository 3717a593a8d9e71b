"""Where the packages of an installation come from. All else stands in pyproject.toml.

The checkout's app, ui and resources become parts of listening_post, so that nothing else of ours lies beside
other projects' packages: those names are everybody's.
"""

from setuptools import find_namespace_packages, setup

INSIDE = ("app", "ui", "resources")

found = find_namespace_packages(
    include=[pattern for name in INSIDE for pattern in (name, f"{name}.*")],
    exclude=["resources.screenshots", "*.__pycache__"],
)

setup(
    packages=["listening_post", "listening_post.docs", *(f"listening_post.{name}" for name in found)],
    package_dir={f"listening_post.{name}": name for name in ("docs", *INSIDE)},
)
