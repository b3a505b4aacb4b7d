import type { Client } from 'pg';

/**
 * Everything in the database that a refresh can neither sanitise nor exclude as a leak: an object could keep a second
 * copy of a value, or run code while rows are rewritten. Objects below the first normal oid are part of the server.
 *
 * @returns one description per object, as the server words it
 */
export async function findUnjudgedObjects(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(OBJECTS);
  return rows.map(({ what }) => what);
}

const FIRST_NORMAL_OID = 16_384;

/** Members of an extension are not listed beside it. plpgsql is accepted, so its members are listed. */
const OBJECTS = `
  WITH found (class, oid, problem) AS (
    SELECT 'pg_namespace'::regclass, n.oid, 'is not supported by refresh' FROM pg_namespace n
     WHERE n.oid >= ${FIRST_NORMAL_OID} AND n.nspname NOT IN ('public', 'ops', 'jobs') AND n.nspname !~ '^pg_(toast_)?temp_[0-9]+$'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, v.problem FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (VALUES
       (c.relkind = 'f', 'holds rows of another system'),
       (c.relkind = 'm', 'holds a second copy of rows'),
       (c.relkind = 'p' AND n.nspname <> 'jobs', 'is partitioned'),
       (c.relpersistence = 't', 'is temporary'),
       (c.relpersistence = 'u', 'is unlogged'),
       (c.relkind = 'r' AND c.relreplident <> 'd', 'writes whole old rows to the log (REPLICA IDENTITY)'),
       (c.relkind IN ('r', 'v', 'S') AND n.nspname NOT IN ('public', 'ops', 'jobs'), 'is outside schema public'),
       (c.relkind IN ('v', 'S', 'c') AND n.nspname = 'ops', 'is not part of schema ops as provisioning creates it'),
       (c.relkind IN ('v', 'S', 'c') AND n.nspname = 'jobs', 'is not part of schema jobs as a migration creates it')
     ) v (holds, problem)
     WHERE v.holds AND c.oid >= ${FIRST_NORMAL_OID} AND c.relkind NOT IN ('i', 'I', 't')
    UNION ALL SELECT 'pg_class'::regclass, indexrelid, 'is not maintained, as an interrupted CREATE, DROP or REINDEX CONCURRENTLY left it'
      FROM pg_index WHERE NOT (indislive AND indisready)
    UNION ALL SELECT 'pg_class'::regclass, inhrelid, 'inherits from another table' FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind IN ('r', 'p', 'f')
       AND (c.relnamespace IS DISTINCT FROM to_regnamespace('jobs')
         OR (SELECT relnamespace FROM pg_class WHERE oid = i.inhparent) IS DISTINCT FROM to_regnamespace('jobs'))
    UNION ALL SELECT 'pg_trigger'::regclass, oid, 'runs when rows change' FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'pg_event_trigger'::regclass, oid, 'runs when the schema changes' FROM pg_event_trigger
     WHERE (evtname, evtevent) <> ('airlock_refuse_drop', 'sql_drop') OR evtfoid IS DISTINCT FROM to_regproc('ops.refuse_drop')
    UNION ALL SELECT 'pg_rewrite'::regclass, oid, 'changes what an UPDATE does' FROM pg_rewrite
     WHERE oid >= ${FIRST_NORMAL_OID} AND rulename <> '_RETURN'
    UNION ALL SELECT 'pg_extension'::regclass, oid, 'is not supported by refresh' FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid, 'reaches another system' FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server'::regclass, oid, 'reaches another system' FROM pg_foreign_server
    UNION ALL SELECT 'pg_user_mapping'::regclass, umid, 'may hold a password' FROM pg_user_mappings
    UNION ALL SELECT 'pg_publication'::regclass, oid, 'sends changes to another system' FROM pg_publication
    UNION ALL SELECT 'pg_subscription'::regclass, s.oid, 'takes changes from another system' FROM pg_subscription s
      JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()
    UNION ALL SELECT 'pg_statistic_ext'::regclass, oid, 'may hold values of rows' FROM pg_statistic_ext
    UNION ALL SELECT classoid, objoid, 'has a security label' FROM pg_seclabel WHERE classoid <> 'pg_largeobject'::regclass
    UNION ALL SELECT 'pg_language'::regclass, oid, 'may run code' FROM pg_language
     WHERE oid >= ${FIRST_NORMAL_OID} AND lanname <> 'plpgsql'
    UNION ALL SELECT 'pg_transform'::regclass, oid, 'may run code' FROM pg_transform
    UNION ALL SELECT 'pg_cast'::regclass, oid, 'may run code' FROM pg_cast WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_conversion'::regclass, oid, 'may run code' FROM pg_conversion WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_am'::regclass, oid, 'may run code' FROM pg_am WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_opclass'::regclass, oid, 'may run code' FROM pg_opclass WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_opfamily'::regclass, oid, 'may run code' FROM pg_opfamily WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_ts_parser'::regclass, oid, 'may run code' FROM pg_ts_parser WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_ts_template'::regclass, oid, 'may run code' FROM pg_ts_template WHERE oid >= ${FIRST_NORMAL_OID}
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, v.problem FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
      JOIN pg_namespace n ON n.oid = p.pronamespace
     CROSS JOIN LATERAL (VALUES
       (NOT l.lanpltrusted, 'is in the untrusted language ' || l.lanname),
       (l.lanpltrusted AND n.nspname NOT IN ('public', 'jobs') AND p.oid <> coalesce(to_regprocedure('ops.refuse_drop()'), 0::oid),
        'is outside schema public')
     ) v (holds, problem)
     WHERE v.holds AND p.oid >= ${FIRST_NORMAL_OID}
    UNION ALL SELECT 'pg_type'::regclass, oid, 'may run code' FROM pg_type
     WHERE oid >= ${FIRST_NORMAL_OID} AND (typtype IN ('r', 'p') OR typtype = 'b' AND typinput <> 'array_in'::regproc)
    UNION ALL
    SELECT e.class, e.oid, format('calls %s', c.oid::regprocedure) FROM (
        SELECT 'pg_attrdef'::regclass, d.oid, d.adbin::text, a.attgenerated = '' FROM pg_attrdef d
          JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        UNION ALL SELECT 'pg_constraint'::regclass, oid, conbin::text, false FROM pg_constraint WHERE conbin IS NOT NULL AND contypid = 0
        UNION ALL SELECT 'pg_type'::regclass, contypid, conbin::text, false FROM pg_constraint WHERE conbin IS NOT NULL AND contypid <> 0
        UNION ALL SELECT 'pg_class'::regclass, indexrelid, concat(indexprs, indpred), false FROM pg_index
      ) e (class, oid, tree, is_default)
     CROSS JOIN LATERAL (
       SELECT DISTINCT p.oid FROM regexp_matches(e.tree, ':(?:funcid|opfuncid) ([0-9]+)', 'g') m
         JOIN pg_proc p ON p.oid = m[1]::oid
        WHERE p.oid >= ${FIRST_NORMAL_OID} OR p.provolatile = 'v' AND NOT e.is_default
     ) c
     WHERE e.oid >= ${FIRST_NORMAL_OID}
  )
  SELECT pg_describe_object(f.class, f.oid, 0) || ' ' || f.problem AS what FROM found f
   WHERE NOT EXISTS (
     SELECT FROM pg_depend e JOIN pg_extension x ON x.oid = e.refobjid AND x.extname <> 'plpgsql'
      WHERE e.classid = f.class AND e.objid = f.oid AND e.refclassid = 'pg_extension'::regclass AND e.deptype = 'e')
  UNION ALL SELECT format('%s large objects hold data', count(*)) FROM pg_largeobject_metadata HAVING count(*) > 0
  UNION ALL SELECT format('replication slot %I keeps changes', slot_name) FROM pg_replication_slots
   WHERE database = current_database()
  UNION ALL SELECT format('prepared transaction %L is unfinished', gid) FROM pg_prepared_xacts WHERE database = current_database()
  UNION ALL SELECT format('setting %s of the database is not supported by refresh', split_part(setting, '=', 1))
    FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase CROSS JOIN unnest(s.setconfig) setting
   WHERE d.datname = current_database()
  ORDER BY 1`;
