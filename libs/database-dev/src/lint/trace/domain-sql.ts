/** Common table expressions of the snapshot. A domain copies the default of its base when it is created. */
export const DOMAINS = `
  layer AS (
    SELECT oid AS domain, oid, typbasetype, typtypmod, typnotnull FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT l.domain, t.oid, t.typbasetype, t.typtypmod, t.typnotnull
      FROM layer l JOIN pg_type t ON t.oid = l.typbasetype AND t.typtype = 'd'),
  domain AS MATERIALIZED (
    SELECT d.oid, format('%I.%I', n.nspname, d.typname) AS name, d.typdefault AS "default",
           bool_or(l.typnotnull) AS "isRequired",
           bool_or(l.typnotnull OR EXISTS (SELECT FROM pg_constraint k WHERE k.contypid = l.oid)) AS "isConstrained",
           max(format_type(l.typbasetype, l.typtypmod)) FILTER (WHERE b.typtype <> 'd') AS base
      FROM layer l JOIN pg_type d ON d.oid = l.domain JOIN pg_namespace n ON n.oid = d.typnamespace
      JOIN pg_type b ON b.oid = l.typbasetype
     GROUP BY d.oid, n.nspname, d.typname, d.typdefault)`;
