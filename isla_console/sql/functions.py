"""PostgreSQL's own functions: those with side effects, and those that were looked at and have none.

Whatever came with the server and is in none of these lists is unknown: a function of a newer PostgreSQL, too.
A test holds the lists against each server's own catalogue.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from isla_console.sql.verdict import Class

_ELSEWHERE: Final = ("elsewhere, where nothing is read-only", "sends a request from the server")
_EFFECTS: Final[tuple[tuple[str, Class, str], ...]] = (
    (r"pg_(terminate|cancel)_backend", "admin", "ends sessions or queries, also in a read-only transaction"),
    (r"set_config|setseed|isn_weak", "admin", "changes a setting of the session"),
    (r"pg_reload_conf|pg_rotate_logfile.*|pg_log_.*|pg_promote|pg_switch_wal", "admin", "acts on the server"),
    (
        r"pg_(wal|xlog)_replay_(pause|resume)|pg_create_restore_point|pg_(start|stop)_backup|pg_backup_(start|stop)",
        "admin",
        "acts on the server",
    ),
    (
        r"pg_(create|drop|copy)_.*slot|pg_(physical|logical|replication|sync)_.*slot.*|pg_logical_slot_.*",
        "admin",
        "changes a replication slot",
    ),
    (
        r"pg_replication_origin_(?!progress|oid|session_is|session_progress).*|pg_logical_emit_message",
        "admin",
        "changes replication",
    ),
    (
        r"pg_(stat|stats)_(?!get_).*reset.*|pg_stat_reset.*|pg_(restore|clear)_.*_stats|pg_stat_statements_reset|pg_stat_force_next_flush",
        "admin",
        "wipes statistics, also in a read-only transaction",
    ),
    (r"dblink.*|postgres_fdw_disconnect.*", "unknown", f"runs SQL {_ELSEWHERE[0]}"),
    (
        r"(query|cursor|table|schema|database)_to_xml.*|ts_stat|ts_rewrite|crosstab.*|connectby|xpath_table",
        "unknown",
        "runs SQL that is text to the guard",
    ),
    (
        r"pg_input_(is_valid|error_info)|(domain|record|array|range|multirange|any\w+)_(in|recv)",
        "unknown",
        "runs the code of a type that it is given by name",
    ),
    (
        r"satisfies_hash_partition|pg_get_partition_constraintdef|(fmgr|plpgsql)_\w*(validator|handler)|.*_fdw_validator",
        "unknown",
        "runs code that it is given by number",
    ),
    (r"nextval|setval", "write", "moves a sequence, which no rollback takes back"),
    (r"lo_(?!get$).*|lowrite|loread", "write", "works on large objects"),
    (r"pg_(try_)?advisory_.*", "write", "takes or frees advisory locks"),
    (r"pg_notify", "write", "notifies listeners"),
    (
        r"pg_read_(binary_)?file|pg_file_.*|pg_ls_dir|pg_stat_file|pg_read_file_.*",
        "admin",
        "reaches the server's files",
    ),
    (
        r"pg_export_snapshot|txid_current|pg_current_xact_id",
        "write",
        "takes a transaction number or a snapshot",
    ),
    (
        r"brin_(de)?summarize.*|gin_clean_pending_list|pg_prewarm|autoprewarm.*|pg_buffercache_(evict|mark).*",
        "write",
        "works on storage",
    ),
    (
        r"pg_import_system_collations|pg_extension_config_dump|pg_nextoid|binary_upgrade_.*|pg_stop_making_pinned_objects",
        "admin",
        "changes the catalogue",
    ),
    (r"http(_.*)?|net\.http_.*", "unknown", _ELSEWHERE[1]),
)
_COMPILED: Final = tuple((re.compile(pattern), kind, reason) for pattern, kind, reason in _EFFECTS)

_HARMLESS: Final = """
    random random_normal clock_timestamp timeofday gen_random_uuid uuidv4 uuidv7 currval lastval
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_random_bytes gen_salt
    array_sample array_shuffle current_query lo_get pg_stat_have_stats pg_get_loaded_modules
    pg_available_wal_summaries pg_wal_summary_contents pg_isolation_test_session_is_blocked
    pg_stat_get_io pg_stat_get_backend_io pg_stat_get_backend_wal pg_stat_get_recovery_prefetch
    pg_sleep pg_sleep_for pg_sleep_until
    pg_database_size pg_relation_size pg_total_relation_size pg_table_size pg_indexes_size pg_tablespace_size
    pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids pg_get_wait_events
    pg_is_in_recovery pg_is_wal_replay_paused pg_get_wal_replay_pause_state pg_last_xact_replay_timestamp
    pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_current_wal_lsn pg_current_wal_insert_lsn
    pg_current_wal_flush_lsn pg_get_wal_resource_managers pg_get_wal_summarizer_state
    pg_show_all_file_settings pg_hba_file_rules pg_ident_file_mappings pg_prepared_xact pg_current_logfile
    pg_ls_waldir pg_ls_logdir pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_logicalsnapdir pg_ls_logicalmapdir
    pg_ls_replslotdir pg_ls_summariesdir
    pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system
    pg_get_shmem_allocations pg_get_shmem_allocations_numa pg_get_dsm_registry_allocations
    pg_get_backend_memory_contexts pg_get_aios
    pg_xact_commit_timestamp pg_xact_commit_timestamp_origin pg_last_committed_xact pg_xact_status txid_status
    pg_get_multixact_members pg_notification_queue_usage pg_sequence_last_value pg_get_sequence_data
    pg_show_replication_origin_status pg_replication_origin_progress pg_replication_origin_session_is_setup
    pg_replication_origin_session_progress pg_tablespace_databases pg_partition_tree pg_partition_ancestors
    pg_partition_root pg_collation_actual_version pg_database_collation_actual_version
    pg_get_publication_tables
    pg_stat_get_xact_numscans pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_fetched
    pg_stat_get_xact_tuples_inserted pg_stat_get_xact_tuples_updated pg_stat_get_xact_tuples_deleted
    pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_newpage_updated
    pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit
    pg_stat_get_xact_function_calls pg_stat_get_xact_function_total_time pg_stat_get_xact_function_self_time
    normal_rand pgp_sym_encrypt pgp_sym_encrypt_bytea pgp_pub_encrypt pgp_pub_encrypt_bytea
    system bernoulli system_rows system_time
    currtid2 pg_stat_clear_snapshot pg_jit_available pg_numa_available amvalidate
    pg_stat_statements pg_stat_statements_info pgstattuple pgstattuple_approx pgstatindex pgstatginindex
    pgstathashindex pg_relpages pg_freespace pg_buffercache_pages pg_buffercache_summary
    pg_buffercache_usage_counts pg_visibility pg_visibility_map pg_visibility_map_summary pg_check_frozen
    pg_check_visible ssl_is_used ssl_version ssl_cipher ssl_client_cert_present ssl_client_serial
    ssl_client_dn ssl_issuer_dn ssl_client_dn_field ssl_issuer_field ssl_extension_info
"""
HARMLESS_VOLATILE: Final = frozenset(_HARMLESS.split())
"""Functions that are volatile only because their answer differs from call to call.

Every other volatile function is taken to be harmful.
"""


@cache
def reviewed() -> frozenset[str]:
    """Return the functions of PostgreSQL 15 to 18 that are not volatile and were looked at, by name.

    A name stands for all its overloads; what has an effect is in `effect` all the same, which counts more.
    """
    return frozenset((Path(__file__).parent / "builtins.txt").read_text(encoding="utf-8").split())


def is_final(name: str) -> bool:
    """Return whether no rollback takes back what a function does, by its name alone."""
    known = effect(name)
    return known is not None and (known[0] == "admin" or known[1].endswith(_ELSEWHERE) or name == "setval")


def effect(name: str) -> tuple[Class, str] | None:
    """Return the side effect of calling a function, by its name alone; None if none is known."""
    for pattern, kind, reason in _COMPILED:
        if pattern.fullmatch(name):
            return kind, f"{name}() {reason}"
    return None
