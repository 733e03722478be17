from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration

Plan = list[tuple[Migration, bool]]


class Command(migrate.Command):
    """Django's `migrate`; for the lakehouse, whose DDL nothing undoes, `--plan` shows the statements as well."""

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["plan"] and connections[options["database"]].vendor == "databricks":
            self._show_statements(options["database"], options["app_label"], options["migration_name"])

    def _show_statements(self, alias: str, app: str | None, name: str | None) -> None:
        executor = MigrationExecutor(connections[alias])
        self.stdout.write("Statements:", self.style.MIGRATE_LABEL)
        for migration, backwards in planned(executor, app, name):
            if router.allow_migrate(alias, migration.app_label):
                self.stdout.write(str(migration), self.style.MIGRATE_HEADING)
                # One at a time: a plan's first migration need not know the models of its last.
                for line in executor.loader.collect_sql([(migration, backwards)]):
                    if line != "--":
                        self.stdout.write(f"    {line}")


def planned(executor: MigrationExecutor, app: str | None, name: str | None) -> Plan:
    """Return the migrations that `migrate [app [name]]` would run, each with whether it goes backwards."""
    if app and name == "zero":
        return executor.migration_plan([(app, None)])
    if app and name:
        return executor.migration_plan([(app, executor.loader.get_migration_by_prefix(app, name).name)])
    return executor.migration_plan([key for key in executor.loader.graph.leaf_nodes() if app in (None, key[0])])
