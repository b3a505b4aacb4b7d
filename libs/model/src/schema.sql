-- The schema that the migrations create, read from a database that ran them. For review and comparison; never run it.
-- Update it with: airlock db drift --template --write
CREATE SCHEMA jobs AUTHORIZATION owner;
CREATE SCHEMA public AUTHORIZATION owner;
CREATE TYPE jobs.job_state AS ENUM ('created', 'retry', 'active', 'completed', 'cancelled', 'failed');
CREATE OR REPLACE FUNCTION jobs.create_queue(queue_name text, options jsonb)
  RETURNS void
  LANGUAGE plpgsql
  AS $function$
  DECLARE
  tablename varchar := CASE WHEN options->>'partition' = 'true'
  THEN 'j' || encode(sha224(queue_name::bytea), 'hex')
  ELSE 'job_common'
  END;
  queue_created_on timestamptz;
  BEGIN
  WITH q as (
  INSERT INTO jobs.queue (
  name,
  policy,
  retry_limit,
  retry_delay,
  retry_backoff,
  retry_delay_max,
  expire_seconds,
  retention_seconds,
  deletion_seconds,
  warning_queued,
  dead_letter,
  partition,
  table_name,
  heartbeat_seconds,
  notify,
  created_on,
  updated_on
  )
  VALUES (
  queue_name,
  options->>'policy',
  COALESCE((options->>'retryLimit')::int, 2),
  COALESCE((options->>'retryDelay')::int, 0),
  COALESCE((options->>'retryBackoff')::bool, false),
  (options->>'retryDelayMax')::int,
  COALESCE((options->>'expireInSeconds')::int, 900),
  COALESCE((options->>'retentionSeconds')::int, 1209600),
  COALESCE((options->>'deleteAfterSeconds')::int, 604800),
  COALESCE((options->>'warningQueueSize')::int, 0),
  options->>'deadLetter',
  COALESCE((options->>'partition')::bool, false),
  tablename,
  (options->>'heartbeatSeconds')::int,
  COALESCE((options->>'notify')::bool, false),
  jobs.job_now(),
  jobs.job_now()
  )
  ON CONFLICT DO NOTHING
  RETURNING created_on
  )
  SELECT created_on into queue_created_on from q;
  IF queue_created_on IS NULL OR options->>'partition' IS DISTINCT FROM 'true' THEN
  RETURN;
  END IF;
  EXECUTE format('CREATE TABLE jobs.%I (LIKE jobs.job INCLUDING DEFAULTS)', tablename);
  EXECUTE jobs.job_table_format($cmd$ALTER TABLE jobs.job ADD PRIMARY KEY (name, id)$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$ALTER TABLE jobs.job ADD CONSTRAINT q_fkey FOREIGN KEY (name) REFERENCES jobs.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$ALTER TABLE jobs.job ADD CONSTRAINT dlq_fkey FOREIGN KEY (dead_letter) REFERENCES jobs.queue (name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i11 ON jobs.job (name, priority DESC, created_on, start_after) WHERE state < 'active' AND NOT blocked$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i4 ON jobs.job (name, singleton_on, COALESCE(singleton_key, '')) WHERE state <> 'cancelled' AND singleton_on IS NOT NULL$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i7 ON jobs.job (name, group_id) WHERE state = 'active' AND group_id IS NOT NULL$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i9 ON jobs.job (name, id) WHERE blocking AND state = 'completed'$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i12 ON jobs.job (source_root_id) WHERE source_root_id IS NOT NULL$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i13 ON jobs.job (name, singleton_key) WHERE state = 'created' AND upsert_by_key$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i14 ON jobs.job (name, state, blocked, start_after) WHERE state IN ('created', 'retry', 'active', 'failed')$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i15 ON jobs.job (name, created_on)$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i16 ON jobs.job (name, completed_on) WHERE completed_on IS NOT NULL$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i17 ON jobs.job (name, singleton_key, created_on) WHERE state < 'active' AND singleton_key IS NOT NULL$cmd$, tablename);
  IF options->>'policy' = 'short' THEN
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i1 ON jobs.job (name, COALESCE(singleton_key, '')) WHERE state = 'created' AND policy = 'short'$cmd$, tablename);
  ELSIF options->>'policy' = 'singleton' THEN
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i2 ON jobs.job (name, COALESCE(singleton_key, '')) WHERE state = 'active' AND policy = 'singleton'$cmd$, tablename);
  ELSIF options->>'policy' = 'stately' THEN
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i3 ON jobs.job (name, state, COALESCE(singleton_key, '')) WHERE state <= 'active' AND policy = 'stately'$cmd$, tablename);
  ELSIF options->>'policy' = 'exclusive' THEN
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i6 ON jobs.job (name, COALESCE(singleton_key, '')) WHERE state <= 'active' AND policy = 'exclusive'$cmd$, tablename);
  ELSIF options->>'policy' = 'key_strict_fifo' THEN
  EXECUTE jobs.job_table_format($cmd$CREATE UNIQUE INDEX job_i8 ON jobs.job (name, singleton_key) WHERE state IN ('active', 'retry', 'failed') AND policy = 'key_strict_fifo'$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$CREATE INDEX job_i10 ON jobs.job (name, singleton_key, state DESC, created_on, id) INCLUDE (start_after) WHERE state < 'active' AND NOT blocked AND policy = 'key_strict_fifo'$cmd$, tablename);
  EXECUTE jobs.job_table_format($cmd$ALTER TABLE jobs.job ADD CONSTRAINT job_key_strict_fifo_singleton_key_check CHECK (NOT (policy = 'key_strict_fifo' AND singleton_key IS NULL))$cmd$, tablename);
  END IF;
  EXECUTE format('ALTER TABLE jobs.%I ADD CONSTRAINT cjc CHECK (name=%L)', tablename, queue_name);
  EXECUTE format('ALTER TABLE jobs.job ATTACH PARTITION jobs.%I FOR VALUES IN (%L)', tablename, queue_name);
  END;
  $function$
  ;
CREATE OR REPLACE FUNCTION jobs.delete_queue(queue_name text)
  RETURNS void
  LANGUAGE plpgsql
  AS $function$
  DECLARE
  v_table varchar;
  v_partition bool;
  BEGIN
  SELECT table_name, partition
  FROM jobs.queue
  WHERE name = queue_name
  INTO v_table, v_partition;
  IF v_partition THEN
  EXECUTE format('DROP TABLE IF EXISTS jobs.%I', v_table);
  ELSE
  EXECUTE format('DELETE FROM jobs.%I WHERE name = %L', v_table, queue_name);
  END IF;
  DELETE FROM jobs.queue WHERE name = queue_name;
  END;
  $function$
  ;
CREATE OR REPLACE FUNCTION jobs.job_now()
  RETURNS timestamp with time zone
  LANGUAGE sql
  STABLE
  AS $function$
  SELECT pg_catalog.now();
  $function$
  ;
CREATE OR REPLACE FUNCTION jobs.job_table_format(command text, table_name text)
  RETURNS text
  LANGUAGE sql
  IMMUTABLE
  AS $function$
  SELECT format(
  regexp_replace(
  regexp_replace(command, '\.job\y', '.%1$I', 'g'),
  '\yjob_i(\d+)', '%1$s_i\1', 'g'
  ),
  table_name
  );
  $function$
  ;
CREATE OR REPLACE FUNCTION jobs.job_table_run(command text, tbl_name text DEFAULT NULL::text, queue_name text DEFAULT NULL::text)
  RETURNS void
  LANGUAGE plpgsql
  AS $function$
  DECLARE
  tbl RECORD;
  BEGIN
  IF queue_name IS NOT NULL THEN
  SELECT table_name INTO tbl_name FROM jobs.queue WHERE name = queue_name;
  END IF;
  IF tbl_name IS NOT NULL THEN
  EXECUTE jobs.job_table_format(command, tbl_name);
  RETURN;
  END IF;
  EXECUTE jobs.job_table_format(command, 'job_common');
  FOR tbl IN SELECT table_name FROM jobs.queue WHERE partition = true
  LOOP
  EXECUTE jobs.job_table_format(command, tbl.table_name);
  END LOOP;
  END;
  $function$
  ;
CREATE OR REPLACE FUNCTION jobs.job_table_run_async(command_name text, version integer, command text, tbl_name text DEFAULT NULL::text, queue_name text DEFAULT NULL::text)
  RETURNS void
  LANGUAGE plpgsql
  AS $function$
  BEGIN
  IF queue_name IS NOT NULL THEN
  SELECT table_name INTO tbl_name FROM jobs.queue WHERE name = queue_name;
  END IF;
  IF tbl_name IS NOT NULL THEN
  INSERT INTO jobs.bam (name, version, status, queue, table_name, command)
  VALUES (
  command_name,
  version,
  'pending',
  queue_name,
  tbl_name,
  jobs.job_table_format(command, tbl_name)
  );
  RETURN;
  END IF;
  INSERT INTO jobs.bam (name, version, status, queue, table_name, command)
  SELECT
  command_name,
  version,
  'pending',
  NULL,
  'job_common',
  jobs.job_table_format(command, 'job_common')
  UNION ALL
  SELECT
  command_name,
  version,
  'pending',
  queue.name,
  queue.table_name,
  jobs.job_table_format(command, queue.table_name)
  FROM jobs.queue
  WHERE partition = true;
  END;
  $function$
  ;
CREATE TABLE jobs.bam (); ALTER TABLE jobs.bam OWNER TO owner;
CREATE TABLE jobs.instance (); ALTER TABLE jobs.instance OWNER TO owner;
CREATE TABLE jobs.job () PARTITION BY LIST (name); ALTER TABLE jobs.job OWNER TO owner;
CREATE TABLE jobs.job_common (); ALTER TABLE jobs.job_common OWNER TO owner;
CREATE TABLE jobs.job_dependency (); ALTER TABLE jobs.job_dependency OWNER TO owner;
CREATE TABLE jobs.queue (); ALTER TABLE jobs.queue OWNER TO owner;
CREATE TABLE jobs.queue_stats () PARTITION BY RANGE (captured_on); ALTER TABLE jobs.queue_stats OWNER TO owner;
CREATE TABLE jobs.schedule (); ALTER TABLE jobs.schedule OWNER TO owner;
CREATE TABLE jobs.subscription (); ALTER TABLE jobs.subscription OWNER TO owner;
CREATE TABLE jobs.version (); ALTER TABLE jobs.version OWNER TO owner;
CREATE TABLE jobs.warning (); ALTER TABLE jobs.warning OWNER TO owner;
CREATE TABLE public.entities (); ALTER TABLE public.entities OWNER TO owner;
CREATE TABLE public.provider_connection_attempts (); ALTER TABLE public.provider_connection_attempts OWNER TO owner;
CREATE TABLE public.provider_connections (); ALTER TABLE public.provider_connections OWNER TO owner;
ALTER TABLE jobs.bam ADD COLUMN id uuid DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN version integer NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN status text DEFAULT 'pending'::text NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN queue text;
ALTER TABLE jobs.bam ADD COLUMN table_name text NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN command text NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN error text;
ALTER TABLE jobs.bam ADD COLUMN created_on timestamp with time zone DEFAULT clock_timestamp() NOT NULL;
ALTER TABLE jobs.bam ADD COLUMN started_on timestamp with time zone;
ALTER TABLE jobs.bam ADD COLUMN completed_on timestamp with time zone;
ALTER TABLE jobs.instance ADD COLUMN id uuid NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN name text;
ALTER TABLE jobs.instance ADD COLUMN host text NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN pid integer NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN version text NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN node_version text NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN application_name text;
ALTER TABLE jobs.instance ADD COLUMN heartbeat_seconds integer NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN supervise boolean NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN schedule boolean NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN migrate boolean NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN persist_queue_stats boolean NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN persist_warnings boolean NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN pool_max integer;
ALTER TABLE jobs.instance ADD COLUMN pool_total integer;
ALTER TABLE jobs.instance ADD COLUMN pool_idle integer;
ALTER TABLE jobs.instance ADD COLUMN pool_waiting integer;
ALTER TABLE jobs.instance ADD COLUMN workers jsonb DEFAULT '[]'::jsonb NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN metrics jsonb;
ALTER TABLE jobs.instance ADD COLUMN config jsonb DEFAULT '{}'::jsonb NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN crash_restarts integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN crash_restarts_since timestamp with time zone;
ALTER TABLE jobs.instance ADD COLUMN started_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN heartbeat_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.instance ADD COLUMN stopped_on timestamp with time zone;
ALTER TABLE jobs.job ADD COLUMN id uuid DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE jobs.job ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.job ADD COLUMN priority integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN data jsonb;
ALTER TABLE jobs.job ADD COLUMN state jobs.job_state DEFAULT 'created'::jobs.job_state NOT NULL;
ALTER TABLE jobs.job ADD COLUMN retry_limit integer DEFAULT 2 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN retry_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN retry_delay integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN retry_backoff boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.job ADD COLUMN retry_delay_max integer;
ALTER TABLE jobs.job ADD COLUMN expire_seconds integer DEFAULT 900 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN deletion_seconds integer DEFAULT 604800 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN singleton_key text;
ALTER TABLE jobs.job ADD COLUMN singleton_on timestamp without time zone;
ALTER TABLE jobs.job ADD COLUMN group_id text;
ALTER TABLE jobs.job ADD COLUMN group_tier text;
ALTER TABLE jobs.job ADD COLUMN start_after timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.job ADD COLUMN created_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.job ADD COLUMN started_on timestamp with time zone;
ALTER TABLE jobs.job ADD COLUMN completed_on timestamp with time zone;
ALTER TABLE jobs.job ADD COLUMN keep_until timestamp with time zone DEFAULT (now() + '336:00:00'::interval) NOT NULL;
ALTER TABLE jobs.job ADD COLUMN output jsonb;
ALTER TABLE jobs.job ADD COLUMN dead_letter text;
ALTER TABLE jobs.job ADD COLUMN policy text;
ALTER TABLE jobs.job ADD COLUMN heartbeat_on timestamp with time zone;
ALTER TABLE jobs.job ADD COLUMN heartbeat_seconds integer;
ALTER TABLE jobs.job ADD COLUMN blocked boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.job ADD COLUMN blocking boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.job ADD COLUMN pending_dependencies integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job ADD COLUMN source_name text;
ALTER TABLE jobs.job ADD COLUMN source_id uuid;
ALTER TABLE jobs.job ADD COLUMN source_created_on timestamp with time zone;
ALTER TABLE jobs.job ADD COLUMN source_retry_count integer;
ALTER TABLE jobs.job ADD COLUMN source_output jsonb;
ALTER TABLE jobs.job ADD COLUMN source_root_id uuid;
ALTER TABLE jobs.job ADD COLUMN trace_context jsonb;
ALTER TABLE jobs.job ADD COLUMN upsert_by_key boolean;
ALTER TABLE jobs.job_common ADD COLUMN id uuid DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN priority integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN data jsonb;
ALTER TABLE jobs.job_common ADD COLUMN state jobs.job_state DEFAULT 'created'::jobs.job_state NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN retry_limit integer DEFAULT 2 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN retry_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN retry_delay integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN retry_backoff boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN retry_delay_max integer;
ALTER TABLE jobs.job_common ADD COLUMN expire_seconds integer DEFAULT 900 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN deletion_seconds integer DEFAULT 604800 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN singleton_key text;
ALTER TABLE jobs.job_common ADD COLUMN singleton_on timestamp without time zone;
ALTER TABLE jobs.job_common ADD COLUMN group_id text;
ALTER TABLE jobs.job_common ADD COLUMN group_tier text;
ALTER TABLE jobs.job_common ADD COLUMN start_after timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN created_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN started_on timestamp with time zone;
ALTER TABLE jobs.job_common ADD COLUMN completed_on timestamp with time zone;
ALTER TABLE jobs.job_common ADD COLUMN keep_until timestamp with time zone DEFAULT (now() + '336:00:00'::interval) NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN output jsonb;
ALTER TABLE jobs.job_common ADD COLUMN dead_letter text;
ALTER TABLE jobs.job_common ADD COLUMN policy text;
ALTER TABLE jobs.job_common ADD COLUMN heartbeat_on timestamp with time zone;
ALTER TABLE jobs.job_common ADD COLUMN heartbeat_seconds integer;
ALTER TABLE jobs.job_common ADD COLUMN blocked boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN blocking boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN pending_dependencies integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.job_common ADD COLUMN source_name text;
ALTER TABLE jobs.job_common ADD COLUMN source_id uuid;
ALTER TABLE jobs.job_common ADD COLUMN source_created_on timestamp with time zone;
ALTER TABLE jobs.job_common ADD COLUMN source_retry_count integer;
ALTER TABLE jobs.job_common ADD COLUMN source_output jsonb;
ALTER TABLE jobs.job_common ADD COLUMN source_root_id uuid;
ALTER TABLE jobs.job_common ADD COLUMN trace_context jsonb;
ALTER TABLE jobs.job_common ADD COLUMN upsert_by_key boolean;
ALTER TABLE jobs.job_dependency ADD COLUMN child_name text NOT NULL;
ALTER TABLE jobs.job_dependency ADD COLUMN child_id uuid NOT NULL;
ALTER TABLE jobs.job_dependency ADD COLUMN parent_name text NOT NULL;
ALTER TABLE jobs.job_dependency ADD COLUMN parent_id uuid NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN policy text NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN retry_limit integer NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN retry_delay integer NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN retry_backoff boolean NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN retry_delay_max integer;
ALTER TABLE jobs.queue ADD COLUMN expire_seconds integer NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN retention_seconds integer NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN deletion_seconds integer NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN dead_letter text;
ALTER TABLE jobs.queue ADD COLUMN partition boolean NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN table_name text NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN deferred_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN blocked_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN queued_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN ready_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN warning_queued integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN active_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN failed_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN total_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN retained_count integer;
ALTER TABLE jobs.queue ADD COLUMN retained_on timestamp with time zone;
ALTER TABLE jobs.queue ADD COLUMN created_delta integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN completed_delta integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN failed_delta integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN delta_on timestamp with time zone;
ALTER TABLE jobs.queue ADD COLUMN delta_seconds integer;
ALTER TABLE jobs.queue ADD COLUMN wait_bins integer[];
ALTER TABLE jobs.queue ADD COLUMN run_bins integer[];
ALTER TABLE jobs.queue ADD COLUMN ready_oldest_seconds integer;
ALTER TABLE jobs.queue ADD COLUMN ready_history integer[] DEFAULT '{}'::integer[] NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN heartbeat_seconds integer;
ALTER TABLE jobs.queue ADD COLUMN notify boolean DEFAULT false NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN singletons_active text[];
ALTER TABLE jobs.queue ADD COLUMN monitor_claim_on timestamp with time zone;
ALTER TABLE jobs.queue ADD COLUMN monitor_on timestamp with time zone;
ALTER TABLE jobs.queue ADD COLUMN maintain_on timestamp with time zone;
ALTER TABLE jobs.queue ADD COLUMN created_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.queue ADD COLUMN updated_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN id uuid DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN deferred_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN queued_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN ready_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN active_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN failed_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN total_count integer DEFAULT 0 NOT NULL;
ALTER TABLE jobs.queue_stats ADD COLUMN created_delta integer;
ALTER TABLE jobs.queue_stats ADD COLUMN completed_delta integer;
ALTER TABLE jobs.queue_stats ADD COLUMN failed_delta integer;
ALTER TABLE jobs.queue_stats ADD COLUMN delta_seconds integer;
ALTER TABLE jobs.queue_stats ADD COLUMN delta_on timestamp with time zone;
ALTER TABLE jobs.queue_stats ADD COLUMN wait_bins integer[];
ALTER TABLE jobs.queue_stats ADD COLUMN run_bins integer[];
ALTER TABLE jobs.queue_stats ADD COLUMN ready_oldest_seconds integer;
ALTER TABLE jobs.queue_stats ADD COLUMN captured_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN key text DEFAULT ''::text NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN kind text DEFAULT 'cron'::text NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN cron text NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN timezone text DEFAULT 'UTC'::text;
ALTER TABLE jobs.schedule ADD COLUMN data jsonb;
ALTER TABLE jobs.schedule ADD COLUMN options jsonb;
ALTER TABLE jobs.schedule ADD COLUMN created_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN updated_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.schedule ADD COLUMN last_job_id uuid;
ALTER TABLE jobs.subscription ADD COLUMN event text NOT NULL;
ALTER TABLE jobs.subscription ADD COLUMN name text NOT NULL;
ALTER TABLE jobs.subscription ADD COLUMN created_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.subscription ADD COLUMN updated_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.version ADD COLUMN version integer NOT NULL;
ALTER TABLE jobs.version ADD COLUMN cron_on timestamp with time zone;
ALTER TABLE jobs.version ADD COLUMN bam_on timestamp with time zone;
ALTER TABLE jobs.version ADD COLUMN flow_on timestamp with time zone;
ALTER TABLE jobs.version ADD COLUMN reindex_on timestamp with time zone;
ALTER TABLE jobs.version ADD COLUMN monitor_backoff_on timestamp with time zone;
ALTER TABLE jobs.warning ADD COLUMN id uuid DEFAULT gen_random_uuid() NOT NULL;
ALTER TABLE jobs.warning ADD COLUMN type text NOT NULL;
ALTER TABLE jobs.warning ADD COLUMN message text NOT NULL;
ALTER TABLE jobs.warning ADD COLUMN data jsonb;
ALTER TABLE jobs.warning ADD COLUMN created_on timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE public.entities ADD COLUMN id uuid DEFAULT uuidv7() NOT NULL;
ALTER TABLE public.entities ADD COLUMN owner_id text NOT NULL;
ALTER TABLE public.entities ADD COLUMN name text NOT NULL;
ALTER TABLE public.entities ADD COLUMN attributes jsonb DEFAULT '{}'::jsonb NOT NULL;
ALTER TABLE public.entities ADD COLUMN version integer DEFAULT 1 NOT NULL;
ALTER TABLE public.entities ADD COLUMN created_at timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE public.entities ADD COLUMN updated_at timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE public.provider_connection_attempts ADD COLUMN owner_id text NOT NULL;
ALTER TABLE public.provider_connection_attempts ADD COLUMN provider text NOT NULL;
ALTER TABLE public.provider_connection_attempts ADD COLUMN id uuid DEFAULT uuidv7() NOT NULL;
ALTER TABLE public.provider_connection_attempts ADD COLUMN phase text NOT NULL;
ALTER TABLE public.provider_connection_attempts ADD COLUMN sealed text NOT NULL;
ALTER TABLE public.provider_connection_attempts ADD COLUMN expires_at timestamp with time zone NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN id uuid DEFAULT uuidv7() NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN owner_id text NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN provider text NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN account text NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN status text NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN sealed_tokens text;
ALTER TABLE public.provider_connections ADD COLUMN expires_at timestamp with time zone;
ALTER TABLE public.provider_connections ADD COLUMN claimed_until timestamp with time zone;
ALTER TABLE public.provider_connections ADD COLUMN created_at timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE public.provider_connections ADD COLUMN updated_at timestamp with time zone DEFAULT now() NOT NULL;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_command_not_null NOT NULL command;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_id_not_null NOT NULL id;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_name_not_null NOT NULL name;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_pkey PRIMARY KEY (id);
ALTER TABLE jobs.bam ADD CONSTRAINT bam_status_not_null NOT NULL status;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_table_name_not_null NOT NULL table_name;
ALTER TABLE jobs.bam ADD CONSTRAINT bam_version_not_null NOT NULL version;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_config_not_null NOT NULL config;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_crash_restarts_not_null NOT NULL crash_restarts;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_heartbeat_on_not_null NOT NULL heartbeat_on;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_heartbeat_seconds_not_null NOT NULL heartbeat_seconds;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_host_not_null NOT NULL host;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_id_not_null NOT NULL id;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_migrate_not_null NOT NULL migrate;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_node_version_not_null NOT NULL node_version;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_persist_queue_stats_not_null NOT NULL persist_queue_stats;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_persist_warnings_not_null NOT NULL persist_warnings;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_pid_not_null NOT NULL pid;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_pkey PRIMARY KEY (id);
ALTER TABLE jobs.instance ADD CONSTRAINT instance_schedule_not_null NOT NULL schedule;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_started_on_not_null NOT NULL started_on;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_supervise_not_null NOT NULL supervise;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_version_not_null NOT NULL version;
ALTER TABLE jobs.instance ADD CONSTRAINT instance_workers_not_null NOT NULL workers;
ALTER TABLE jobs.job ADD CONSTRAINT job_blocked_not_null NOT NULL blocked;
ALTER TABLE jobs.job ADD CONSTRAINT job_blocking_not_null NOT NULL blocking;
ALTER TABLE jobs.job ADD CONSTRAINT job_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.job ADD CONSTRAINT job_deletion_seconds_not_null NOT NULL deletion_seconds;
ALTER TABLE jobs.job ADD CONSTRAINT job_expire_seconds_not_null NOT NULL expire_seconds;
ALTER TABLE jobs.job ADD CONSTRAINT job_id_not_null NOT NULL id;
ALTER TABLE jobs.job ADD CONSTRAINT job_keep_until_not_null NOT NULL keep_until;
ALTER TABLE jobs.job ADD CONSTRAINT job_name_not_null NOT NULL name;
ALTER TABLE jobs.job ADD CONSTRAINT job_pending_dependencies_not_null NOT NULL pending_dependencies;
ALTER TABLE jobs.job ADD CONSTRAINT job_pkey PRIMARY KEY (name, id);
ALTER TABLE jobs.job ADD CONSTRAINT job_priority_not_null NOT NULL priority;
ALTER TABLE jobs.job ADD CONSTRAINT job_retry_backoff_not_null NOT NULL retry_backoff;
ALTER TABLE jobs.job ADD CONSTRAINT job_retry_count_not_null NOT NULL retry_count;
ALTER TABLE jobs.job ADD CONSTRAINT job_retry_delay_not_null NOT NULL retry_delay;
ALTER TABLE jobs.job ADD CONSTRAINT job_retry_limit_not_null NOT NULL retry_limit;
ALTER TABLE jobs.job ADD CONSTRAINT job_start_after_not_null NOT NULL start_after;
ALTER TABLE jobs.job ADD CONSTRAINT job_state_not_null NOT NULL state;
ALTER TABLE jobs.job_common ADD CONSTRAINT dlq_fkey FOREIGN KEY (dead_letter) REFERENCES jobs.queue(name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_blocked_not_null NOT NULL blocked;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_blocking_not_null NOT NULL blocking;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_common_pkey PRIMARY KEY (name, id);
ALTER TABLE jobs.job_common ADD CONSTRAINT job_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_deletion_seconds_not_null NOT NULL deletion_seconds;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_expire_seconds_not_null NOT NULL expire_seconds;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_id_not_null NOT NULL id;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_keep_until_not_null NOT NULL keep_until;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_key_strict_fifo_singleton_key_check CHECK ((NOT ((policy = 'key_strict_fifo'::text) AND (singleton_key IS NULL))));
ALTER TABLE jobs.job_common ADD CONSTRAINT job_name_not_null NOT NULL name;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_pending_dependencies_not_null NOT NULL pending_dependencies;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_priority_not_null NOT NULL priority;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_retry_backoff_not_null NOT NULL retry_backoff;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_retry_count_not_null NOT NULL retry_count;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_retry_delay_not_null NOT NULL retry_delay;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_retry_limit_not_null NOT NULL retry_limit;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_start_after_not_null NOT NULL start_after;
ALTER TABLE jobs.job_common ADD CONSTRAINT job_state_not_null NOT NULL state;
ALTER TABLE jobs.job_common ADD CONSTRAINT q_fkey FOREIGN KEY (name) REFERENCES jobs.queue(name) ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE jobs.job_dependency ADD CONSTRAINT job_dependency_child_id_not_null NOT NULL child_id;
ALTER TABLE jobs.job_dependency ADD CONSTRAINT job_dependency_child_name_not_null NOT NULL child_name;
ALTER TABLE jobs.job_dependency ADD CONSTRAINT job_dependency_parent_id_not_null NOT NULL parent_id;
ALTER TABLE jobs.job_dependency ADD CONSTRAINT job_dependency_parent_name_not_null NOT NULL parent_name;
ALTER TABLE jobs.job_dependency ADD CONSTRAINT job_dependency_pkey PRIMARY KEY (child_name, child_id, parent_name, parent_id);
ALTER TABLE jobs.queue ADD CONSTRAINT queue_active_count_not_null NOT NULL active_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_blocked_count_not_null NOT NULL blocked_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_check CHECK ((dead_letter IS DISTINCT FROM name));
ALTER TABLE jobs.queue ADD CONSTRAINT queue_completed_delta_not_null NOT NULL completed_delta;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_created_delta_not_null NOT NULL created_delta;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_dead_letter_fkey FOREIGN KEY (dead_letter) REFERENCES jobs.queue(name);
ALTER TABLE jobs.queue ADD CONSTRAINT queue_deferred_count_not_null NOT NULL deferred_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_deletion_seconds_not_null NOT NULL deletion_seconds;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_expire_seconds_not_null NOT NULL expire_seconds;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_failed_count_not_null NOT NULL failed_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_failed_delta_not_null NOT NULL failed_delta;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_name_not_null NOT NULL name;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_notify_not_null NOT NULL notify;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_partition_not_null NOT NULL partition;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_pkey PRIMARY KEY (name);
ALTER TABLE jobs.queue ADD CONSTRAINT queue_policy_not_null NOT NULL policy;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_queued_count_not_null NOT NULL queued_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_ready_count_not_null NOT NULL ready_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_ready_history_not_null NOT NULL ready_history;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_retention_seconds_not_null NOT NULL retention_seconds;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_retry_backoff_not_null NOT NULL retry_backoff;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_retry_delay_not_null NOT NULL retry_delay;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_retry_limit_not_null NOT NULL retry_limit;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_table_name_not_null NOT NULL table_name;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_total_count_not_null NOT NULL total_count;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_updated_on_not_null NOT NULL updated_on;
ALTER TABLE jobs.queue ADD CONSTRAINT queue_warning_queued_not_null NOT NULL warning_queued;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_active_count_not_null NOT NULL active_count;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_captured_on_not_null NOT NULL captured_on;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_deferred_count_not_null NOT NULL deferred_count;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_failed_count_not_null NOT NULL failed_count;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_id_not_null NOT NULL id;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_name_not_null NOT NULL name;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_pkey PRIMARY KEY (id, captured_on);
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_queued_count_not_null NOT NULL queued_count;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_ready_count_not_null NOT NULL ready_count;
ALTER TABLE jobs.queue_stats ADD CONSTRAINT queue_stats_total_count_not_null NOT NULL total_count;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_cron_not_null NOT NULL cron;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_key_not_null NOT NULL key;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_kind_check CHECK ((kind = ANY (ARRAY['cron'::text, 'rrule'::text])));
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_kind_not_null NOT NULL kind;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_name_fkey FOREIGN KEY (name) REFERENCES jobs.queue(name) ON DELETE CASCADE;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_name_not_null NOT NULL name;
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_pkey PRIMARY KEY (name, key);
ALTER TABLE jobs.schedule ADD CONSTRAINT schedule_updated_on_not_null NOT NULL updated_on;
ALTER TABLE jobs.subscription ADD CONSTRAINT subscription_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.subscription ADD CONSTRAINT subscription_event_not_null NOT NULL event;
ALTER TABLE jobs.subscription ADD CONSTRAINT subscription_name_fkey FOREIGN KEY (name) REFERENCES jobs.queue(name) ON DELETE CASCADE;
ALTER TABLE jobs.subscription ADD CONSTRAINT subscription_name_not_null NOT NULL name;
ALTER TABLE jobs.subscription ADD CONSTRAINT subscription_pkey PRIMARY KEY (event, name);
ALTER TABLE jobs.subscription ADD CONSTRAINT subscription_updated_on_not_null NOT NULL updated_on;
ALTER TABLE jobs.version ADD CONSTRAINT version_pkey PRIMARY KEY (version);
ALTER TABLE jobs.version ADD CONSTRAINT version_version_not_null NOT NULL version;
ALTER TABLE jobs.warning ADD CONSTRAINT warning_created_on_not_null NOT NULL created_on;
ALTER TABLE jobs.warning ADD CONSTRAINT warning_id_not_null NOT NULL id;
ALTER TABLE jobs.warning ADD CONSTRAINT warning_message_not_null NOT NULL message;
ALTER TABLE jobs.warning ADD CONSTRAINT warning_pkey PRIMARY KEY (id);
ALTER TABLE jobs.warning ADD CONSTRAINT warning_type_not_null NOT NULL type;
ALTER TABLE public.entities ADD CONSTRAINT entities_attributes_not_null NOT NULL attributes;
ALTER TABLE public.entities ADD CONSTRAINT entities_attributes_object CHECK ((jsonb_typeof(attributes) = 'object'::text));
ALTER TABLE public.entities ADD CONSTRAINT entities_created_at_not_null NOT NULL created_at;
ALTER TABLE public.entities ADD CONSTRAINT entities_id_not_null NOT NULL id;
ALTER TABLE public.entities ADD CONSTRAINT entities_name_length CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)));
ALTER TABLE public.entities ADD CONSTRAINT entities_name_not_null NOT NULL name;
ALTER TABLE public.entities ADD CONSTRAINT entities_owner_id_length CHECK (((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255)));
ALTER TABLE public.entities ADD CONSTRAINT entities_owner_id_not_null NOT NULL owner_id;
ALTER TABLE public.entities ADD CONSTRAINT entities_pkey PRIMARY KEY (id);
ALTER TABLE public.entities ADD CONSTRAINT entities_updated_at_not_null NOT NULL updated_at;
ALTER TABLE public.entities ADD CONSTRAINT entities_version_not_null NOT NULL version;
ALTER TABLE public.entities ADD CONSTRAINT entities_version_positive CHECK ((version > 0));
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_expires_at_not_null NOT NULL expires_at;
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_id_not_null NOT NULL id;
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_owner_id_length CHECK (((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255)));
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_owner_id_not_null NOT NULL owner_id;
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_phase_known CHECK ((phase = ANY (ARRAY['started'::text, 'returned'::text, 'finished'::text])));
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_phase_not_null NOT NULL phase;
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_pkey PRIMARY KEY (owner_id, provider);
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_provider_length CHECK (((char_length(provider) >= 1) AND (char_length(provider) <= 40)));
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_provider_not_null NOT NULL provider;
ALTER TABLE public.provider_connection_attempts ADD CONSTRAINT provider_connection_attempts_sealed_not_null NOT NULL sealed;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_account_length CHECK (((char_length(account) >= 1) AND (char_length(account) <= 255)));
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_account_not_null NOT NULL account;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_created_at_not_null NOT NULL created_at;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_id_not_null NOT NULL id;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_owner_id_length CHECK (((char_length(owner_id) >= 1) AND (char_length(owner_id) <= 255)));
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_owner_id_not_null NOT NULL owner_id;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_owner_id_provider_key UNIQUE (owner_id, provider);
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_pkey PRIMARY KEY (id);
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_provider_length CHECK (((char_length(provider) >= 1) AND (char_length(provider) <= 40)));
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_provider_not_null NOT NULL provider;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_sealed_tokens_active CHECK (((status = 'active'::text) = (sealed_tokens IS NOT NULL)));
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_status_known CHECK ((status = ANY (ARRAY['active'::text, 'broken'::text])));
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_status_not_null NOT NULL status;
ALTER TABLE public.provider_connections ADD CONSTRAINT provider_connections_updated_at_not_null NOT NULL updated_at;
CREATE INDEX entities_owner_id_created_at_id_idx ON public.entities USING btree (owner_id, created_at, id);
CREATE INDEX job_common_i10 ON jobs.job_common USING btree (name, singleton_key, state DESC, created_on, id) INCLUDE (start_after) WHERE ((state < 'active'::jobs.job_state) AND (NOT blocked) AND (policy = 'key_strict_fifo'::text));
CREATE INDEX job_common_i11 ON jobs.job_common USING btree (name, priority DESC, created_on, start_after) WHERE ((state < 'active'::jobs.job_state) AND (NOT blocked));
CREATE INDEX job_common_i12 ON jobs.job_common USING btree (source_root_id) WHERE (source_root_id IS NOT NULL);
CREATE INDEX job_common_i14 ON jobs.job_common USING btree (name, state, blocked, start_after) WHERE (state = ANY (ARRAY['created'::jobs.job_state, 'retry'::jobs.job_state, 'active'::jobs.job_state, 'failed'::jobs.job_state]));
CREATE INDEX job_common_i15 ON jobs.job_common USING btree (name, created_on);
CREATE INDEX job_common_i16 ON jobs.job_common USING btree (name, completed_on) WHERE (completed_on IS NOT NULL);
CREATE INDEX job_common_i17 ON jobs.job_common USING btree (name, singleton_key, created_on) WHERE ((state < 'active'::jobs.job_state) AND (singleton_key IS NOT NULL));
CREATE INDEX job_common_i7 ON jobs.job_common USING btree (name, group_id) WHERE ((state = 'active'::jobs.job_state) AND (group_id IS NOT NULL));
CREATE INDEX job_common_i9 ON jobs.job_common USING btree (name, id) WHERE (blocking AND (state = 'completed'::jobs.job_state));
CREATE INDEX job_dep_parent_idx ON jobs.job_dependency USING btree (parent_name, parent_id);
CREATE INDEX provider_connection_attempts_expires_at_idx ON public.provider_connection_attempts USING btree (expires_at);
CREATE INDEX provider_connections_expires_at_idx ON public.provider_connections USING btree (expires_at);
CREATE INDEX queue_stats_i1 ON ONLY jobs.queue_stats USING btree (name, captured_on DESC) INCLUDE (deferred_count, queued_count, ready_count, active_count, failed_count, total_count);
CREATE INDEX warning_i1 ON jobs.warning USING btree (created_on DESC);
CREATE UNIQUE INDEX job_common_i1 ON jobs.job_common USING btree (name, COALESCE(singleton_key, ''::text)) WHERE ((state = 'created'::jobs.job_state) AND (policy = 'short'::text));
CREATE UNIQUE INDEX job_common_i13 ON jobs.job_common USING btree (name, singleton_key) WHERE ((state = 'created'::jobs.job_state) AND upsert_by_key);
CREATE UNIQUE INDEX job_common_i2 ON jobs.job_common USING btree (name, COALESCE(singleton_key, ''::text)) WHERE ((state = 'active'::jobs.job_state) AND (policy = 'singleton'::text));
CREATE UNIQUE INDEX job_common_i3 ON jobs.job_common USING btree (name, state, COALESCE(singleton_key, ''::text)) WHERE ((state <= 'active'::jobs.job_state) AND (policy = 'stately'::text));
CREATE UNIQUE INDEX job_common_i4 ON jobs.job_common USING btree (name, singleton_on, COALESCE(singleton_key, ''::text)) WHERE ((state <> 'cancelled'::jobs.job_state) AND (singleton_on IS NOT NULL));
CREATE UNIQUE INDEX job_common_i6 ON jobs.job_common USING btree (name, COALESCE(singleton_key, ''::text)) WHERE ((state <= 'active'::jobs.job_state) AND (policy = 'exclusive'::text));
CREATE UNIQUE INDEX job_common_i8 ON jobs.job_common USING btree (name, singleton_key) WHERE ((state = ANY (ARRAY['active'::jobs.job_state, 'retry'::jobs.job_state, 'failed'::jobs.job_state])) AND (policy = 'key_strict_fifo'::text));
ALTER TABLE public.entities ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.entities FORCE ROW LEVEL SECURITY;
ALTER TABLE public.provider_connection_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.provider_connection_attempts FORCE ROW LEVEL SECURITY;
ALTER TABLE public.provider_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.provider_connections FORCE ROW LEVEL SECURITY;
CREATE POLICY entities_owner ON public.entities AS PERMISSIVE FOR ALL TO PUBLIC USING ((owner_id = current_setting('app.user_id'::text, true))) WITH CHECK ((owner_id = current_setting('app.user_id'::text, true)));
CREATE POLICY entities_system ON public.entities AS PERMISSIVE FOR ALL TO airlock_system USING (true) WITH CHECK (true);
CREATE POLICY provider_connection_attempts_owner ON public.provider_connection_attempts AS PERMISSIVE FOR ALL TO PUBLIC USING ((owner_id = current_setting('app.user_id'::text, true))) WITH CHECK ((owner_id = current_setting('app.user_id'::text, true)));
CREATE POLICY provider_connection_attempts_system ON public.provider_connection_attempts AS PERMISSIVE FOR ALL TO airlock_system USING (true) WITH CHECK (true);
CREATE POLICY provider_connections_owner ON public.provider_connections AS PERMISSIVE FOR ALL TO PUBLIC USING ((owner_id = current_setting('app.user_id'::text, true))) WITH CHECK ((owner_id = current_setting('app.user_id'::text, true)));
CREATE POLICY provider_connections_system ON public.provider_connections AS PERMISSIVE FOR ALL TO airlock_system USING (true) WITH CHECK (true);
GRANT CREATE ON SCHEMA jobs TO owner;
GRANT CREATE ON SCHEMA public TO owner;
GRANT USAGE ON SCHEMA jobs TO app;
GRANT USAGE ON SCHEMA jobs TO airlock_system;
GRANT USAGE ON SCHEMA jobs TO owner;
GRANT USAGE ON SCHEMA public TO app;
GRANT USAGE ON SCHEMA public TO migrator;
GRANT USAGE ON SCHEMA public TO airlock_system;
GRANT USAGE ON SCHEMA public TO owner;
GRANT DELETE ON TABLE jobs.bam TO app;
GRANT DELETE ON TABLE jobs.bam TO airlock_system;
GRANT DELETE ON TABLE jobs.bam TO owner;
GRANT DELETE ON TABLE jobs.instance TO app;
GRANT DELETE ON TABLE jobs.instance TO airlock_system;
GRANT DELETE ON TABLE jobs.instance TO owner;
GRANT DELETE ON TABLE jobs.job TO app;
GRANT DELETE ON TABLE jobs.job TO airlock_system;
GRANT DELETE ON TABLE jobs.job TO owner;
GRANT DELETE ON TABLE jobs.job_common TO app;
GRANT DELETE ON TABLE jobs.job_common TO airlock_system;
GRANT DELETE ON TABLE jobs.job_common TO owner;
GRANT DELETE ON TABLE jobs.job_dependency TO app;
GRANT DELETE ON TABLE jobs.job_dependency TO airlock_system;
GRANT DELETE ON TABLE jobs.job_dependency TO owner;
GRANT DELETE ON TABLE jobs.queue TO app;
GRANT DELETE ON TABLE jobs.queue TO airlock_system;
GRANT DELETE ON TABLE jobs.queue TO owner;
GRANT DELETE ON TABLE jobs.queue_stats TO app;
GRANT DELETE ON TABLE jobs.queue_stats TO airlock_system;
GRANT DELETE ON TABLE jobs.queue_stats TO owner;
GRANT DELETE ON TABLE jobs.schedule TO app;
GRANT DELETE ON TABLE jobs.schedule TO airlock_system;
GRANT DELETE ON TABLE jobs.schedule TO owner;
GRANT DELETE ON TABLE jobs.subscription TO app;
GRANT DELETE ON TABLE jobs.subscription TO airlock_system;
GRANT DELETE ON TABLE jobs.subscription TO owner;
GRANT DELETE ON TABLE jobs.version TO app;
GRANT DELETE ON TABLE jobs.version TO airlock_system;
GRANT DELETE ON TABLE jobs.version TO owner;
GRANT DELETE ON TABLE jobs.warning TO app;
GRANT DELETE ON TABLE jobs.warning TO airlock_system;
GRANT DELETE ON TABLE jobs.warning TO owner;
GRANT DELETE ON TABLE public.entities TO app;
GRANT DELETE ON TABLE public.entities TO airlock_system;
GRANT DELETE ON TABLE public.entities TO owner;
GRANT DELETE ON TABLE public.provider_connection_attempts TO app;
GRANT DELETE ON TABLE public.provider_connection_attempts TO airlock_system;
GRANT DELETE ON TABLE public.provider_connection_attempts TO owner;
GRANT DELETE ON TABLE public.provider_connections TO app;
GRANT DELETE ON TABLE public.provider_connections TO airlock_system;
GRANT DELETE ON TABLE public.provider_connections TO owner;
GRANT INSERT ON TABLE jobs.bam TO app;
GRANT INSERT ON TABLE jobs.bam TO airlock_system;
GRANT INSERT ON TABLE jobs.bam TO owner;
GRANT INSERT ON TABLE jobs.instance TO app;
GRANT INSERT ON TABLE jobs.instance TO airlock_system;
GRANT INSERT ON TABLE jobs.instance TO owner;
GRANT INSERT ON TABLE jobs.job TO app;
GRANT INSERT ON TABLE jobs.job TO airlock_system;
GRANT INSERT ON TABLE jobs.job TO owner;
GRANT INSERT ON TABLE jobs.job_common TO app;
GRANT INSERT ON TABLE jobs.job_common TO airlock_system;
GRANT INSERT ON TABLE jobs.job_common TO owner;
GRANT INSERT ON TABLE jobs.job_dependency TO app;
GRANT INSERT ON TABLE jobs.job_dependency TO airlock_system;
GRANT INSERT ON TABLE jobs.job_dependency TO owner;
GRANT INSERT ON TABLE jobs.queue TO app;
GRANT INSERT ON TABLE jobs.queue TO airlock_system;
GRANT INSERT ON TABLE jobs.queue TO owner;
GRANT INSERT ON TABLE jobs.queue_stats TO app;
GRANT INSERT ON TABLE jobs.queue_stats TO airlock_system;
GRANT INSERT ON TABLE jobs.queue_stats TO owner;
GRANT INSERT ON TABLE jobs.schedule TO app;
GRANT INSERT ON TABLE jobs.schedule TO airlock_system;
GRANT INSERT ON TABLE jobs.schedule TO owner;
GRANT INSERT ON TABLE jobs.subscription TO app;
GRANT INSERT ON TABLE jobs.subscription TO airlock_system;
GRANT INSERT ON TABLE jobs.subscription TO owner;
GRANT INSERT ON TABLE jobs.version TO app;
GRANT INSERT ON TABLE jobs.version TO airlock_system;
GRANT INSERT ON TABLE jobs.version TO owner;
GRANT INSERT ON TABLE jobs.warning TO app;
GRANT INSERT ON TABLE jobs.warning TO airlock_system;
GRANT INSERT ON TABLE jobs.warning TO owner;
GRANT INSERT ON TABLE public.entities TO app;
GRANT INSERT ON TABLE public.entities TO airlock_system;
GRANT INSERT ON TABLE public.entities TO owner;
GRANT INSERT ON TABLE public.provider_connection_attempts TO app;
GRANT INSERT ON TABLE public.provider_connection_attempts TO airlock_system;
GRANT INSERT ON TABLE public.provider_connection_attempts TO owner;
GRANT INSERT ON TABLE public.provider_connections TO app;
GRANT INSERT ON TABLE public.provider_connections TO airlock_system;
GRANT INSERT ON TABLE public.provider_connections TO owner;
GRANT MAINTAIN ON TABLE jobs.bam TO owner;
GRANT MAINTAIN ON TABLE jobs.instance TO owner;
GRANT MAINTAIN ON TABLE jobs.job TO owner;
GRANT MAINTAIN ON TABLE jobs.job_common TO owner;
GRANT MAINTAIN ON TABLE jobs.job_dependency TO owner;
GRANT MAINTAIN ON TABLE jobs.queue TO owner;
GRANT MAINTAIN ON TABLE jobs.queue_stats TO owner;
GRANT MAINTAIN ON TABLE jobs.schedule TO owner;
GRANT MAINTAIN ON TABLE jobs.subscription TO owner;
GRANT MAINTAIN ON TABLE jobs.version TO owner;
GRANT MAINTAIN ON TABLE jobs.warning TO owner;
GRANT MAINTAIN ON TABLE public.entities TO owner;
GRANT MAINTAIN ON TABLE public.provider_connection_attempts TO owner;
GRANT MAINTAIN ON TABLE public.provider_connections TO owner;
GRANT REFERENCES ON TABLE jobs.bam TO owner;
GRANT REFERENCES ON TABLE jobs.instance TO owner;
GRANT REFERENCES ON TABLE jobs.job TO owner;
GRANT REFERENCES ON TABLE jobs.job_common TO owner;
GRANT REFERENCES ON TABLE jobs.job_dependency TO owner;
GRANT REFERENCES ON TABLE jobs.queue TO owner;
GRANT REFERENCES ON TABLE jobs.queue_stats TO owner;
GRANT REFERENCES ON TABLE jobs.schedule TO owner;
GRANT REFERENCES ON TABLE jobs.subscription TO owner;
GRANT REFERENCES ON TABLE jobs.version TO owner;
GRANT REFERENCES ON TABLE jobs.warning TO owner;
GRANT REFERENCES ON TABLE public.entities TO owner;
GRANT REFERENCES ON TABLE public.provider_connection_attempts TO owner;
GRANT REFERENCES ON TABLE public.provider_connections TO owner;
GRANT SELECT ON TABLE jobs.bam TO app;
GRANT SELECT ON TABLE jobs.bam TO airlock_system;
GRANT SELECT ON TABLE jobs.bam TO owner;
GRANT SELECT ON TABLE jobs.instance TO app;
GRANT SELECT ON TABLE jobs.instance TO airlock_system;
GRANT SELECT ON TABLE jobs.instance TO owner;
GRANT SELECT ON TABLE jobs.job TO app;
GRANT SELECT ON TABLE jobs.job TO airlock_system;
GRANT SELECT ON TABLE jobs.job TO owner;
GRANT SELECT ON TABLE jobs.job_common TO app;
GRANT SELECT ON TABLE jobs.job_common TO airlock_system;
GRANT SELECT ON TABLE jobs.job_common TO owner;
GRANT SELECT ON TABLE jobs.job_dependency TO app;
GRANT SELECT ON TABLE jobs.job_dependency TO airlock_system;
GRANT SELECT ON TABLE jobs.job_dependency TO owner;
GRANT SELECT ON TABLE jobs.queue TO app;
GRANT SELECT ON TABLE jobs.queue TO airlock_system;
GRANT SELECT ON TABLE jobs.queue TO owner;
GRANT SELECT ON TABLE jobs.queue_stats TO app;
GRANT SELECT ON TABLE jobs.queue_stats TO airlock_system;
GRANT SELECT ON TABLE jobs.queue_stats TO owner;
GRANT SELECT ON TABLE jobs.schedule TO app;
GRANT SELECT ON TABLE jobs.schedule TO airlock_system;
GRANT SELECT ON TABLE jobs.schedule TO owner;
GRANT SELECT ON TABLE jobs.subscription TO app;
GRANT SELECT ON TABLE jobs.subscription TO airlock_system;
GRANT SELECT ON TABLE jobs.subscription TO owner;
GRANT SELECT ON TABLE jobs.version TO app;
GRANT SELECT ON TABLE jobs.version TO airlock_system;
GRANT SELECT ON TABLE jobs.version TO owner;
GRANT SELECT ON TABLE jobs.warning TO app;
GRANT SELECT ON TABLE jobs.warning TO airlock_system;
GRANT SELECT ON TABLE jobs.warning TO owner;
GRANT SELECT ON TABLE public.entities TO app;
GRANT SELECT ON TABLE public.entities TO airlock_system;
GRANT SELECT ON TABLE public.entities TO owner;
GRANT SELECT ON TABLE public.provider_connection_attempts TO app;
GRANT SELECT ON TABLE public.provider_connection_attempts TO airlock_system;
GRANT SELECT ON TABLE public.provider_connection_attempts TO owner;
GRANT SELECT ON TABLE public.provider_connections TO app;
GRANT SELECT ON TABLE public.provider_connections TO airlock_system;
GRANT SELECT ON TABLE public.provider_connections TO owner;
GRANT TRIGGER ON TABLE jobs.bam TO owner;
GRANT TRIGGER ON TABLE jobs.instance TO owner;
GRANT TRIGGER ON TABLE jobs.job TO owner;
GRANT TRIGGER ON TABLE jobs.job_common TO owner;
GRANT TRIGGER ON TABLE jobs.job_dependency TO owner;
GRANT TRIGGER ON TABLE jobs.queue TO owner;
GRANT TRIGGER ON TABLE jobs.queue_stats TO owner;
GRANT TRIGGER ON TABLE jobs.schedule TO owner;
GRANT TRIGGER ON TABLE jobs.subscription TO owner;
GRANT TRIGGER ON TABLE jobs.version TO owner;
GRANT TRIGGER ON TABLE jobs.warning TO owner;
GRANT TRIGGER ON TABLE public.entities TO owner;
GRANT TRIGGER ON TABLE public.provider_connection_attempts TO owner;
GRANT TRIGGER ON TABLE public.provider_connections TO owner;
GRANT TRUNCATE ON TABLE jobs.bam TO owner;
GRANT TRUNCATE ON TABLE jobs.instance TO owner;
GRANT TRUNCATE ON TABLE jobs.job TO owner;
GRANT TRUNCATE ON TABLE jobs.job_common TO owner;
GRANT TRUNCATE ON TABLE jobs.job_dependency TO owner;
GRANT TRUNCATE ON TABLE jobs.queue TO owner;
GRANT TRUNCATE ON TABLE jobs.queue_stats TO owner;
GRANT TRUNCATE ON TABLE jobs.schedule TO owner;
GRANT TRUNCATE ON TABLE jobs.subscription TO owner;
GRANT TRUNCATE ON TABLE jobs.version TO owner;
GRANT TRUNCATE ON TABLE jobs.warning TO owner;
GRANT TRUNCATE ON TABLE public.entities TO owner;
GRANT TRUNCATE ON TABLE public.provider_connection_attempts TO owner;
GRANT TRUNCATE ON TABLE public.provider_connections TO owner;
GRANT UPDATE ON TABLE jobs.bam TO app;
GRANT UPDATE ON TABLE jobs.bam TO airlock_system;
GRANT UPDATE ON TABLE jobs.bam TO owner;
GRANT UPDATE ON TABLE jobs.instance TO app;
GRANT UPDATE ON TABLE jobs.instance TO airlock_system;
GRANT UPDATE ON TABLE jobs.instance TO owner;
GRANT UPDATE ON TABLE jobs.job TO app;
GRANT UPDATE ON TABLE jobs.job TO airlock_system;
GRANT UPDATE ON TABLE jobs.job TO owner;
GRANT UPDATE ON TABLE jobs.job_common TO app;
GRANT UPDATE ON TABLE jobs.job_common TO airlock_system;
GRANT UPDATE ON TABLE jobs.job_common TO owner;
GRANT UPDATE ON TABLE jobs.job_dependency TO app;
GRANT UPDATE ON TABLE jobs.job_dependency TO airlock_system;
GRANT UPDATE ON TABLE jobs.job_dependency TO owner;
GRANT UPDATE ON TABLE jobs.queue TO app;
GRANT UPDATE ON TABLE jobs.queue TO airlock_system;
GRANT UPDATE ON TABLE jobs.queue TO owner;
GRANT UPDATE ON TABLE jobs.queue_stats TO app;
GRANT UPDATE ON TABLE jobs.queue_stats TO airlock_system;
GRANT UPDATE ON TABLE jobs.queue_stats TO owner;
GRANT UPDATE ON TABLE jobs.schedule TO app;
GRANT UPDATE ON TABLE jobs.schedule TO airlock_system;
GRANT UPDATE ON TABLE jobs.schedule TO owner;
GRANT UPDATE ON TABLE jobs.subscription TO app;
GRANT UPDATE ON TABLE jobs.subscription TO airlock_system;
GRANT UPDATE ON TABLE jobs.subscription TO owner;
GRANT UPDATE ON TABLE jobs.version TO app;
GRANT UPDATE ON TABLE jobs.version TO airlock_system;
GRANT UPDATE ON TABLE jobs.version TO owner;
GRANT UPDATE ON TABLE jobs.warning TO app;
GRANT UPDATE ON TABLE jobs.warning TO airlock_system;
GRANT UPDATE ON TABLE jobs.warning TO owner;
GRANT UPDATE ON TABLE public.entities TO app;
GRANT UPDATE ON TABLE public.entities TO airlock_system;
GRANT UPDATE ON TABLE public.entities TO owner;
GRANT UPDATE ON TABLE public.provider_connection_attempts TO app;
GRANT UPDATE ON TABLE public.provider_connection_attempts TO airlock_system;
GRANT UPDATE ON TABLE public.provider_connection_attempts TO owner;
GRANT UPDATE ON TABLE public.provider_connections TO app;
GRANT UPDATE ON TABLE public.provider_connections TO airlock_system;
GRANT UPDATE ON TABLE public.provider_connections TO owner;
GRANT EXECUTE ON FUNCTION jobs.create_queue(text,jsonb) TO app;
GRANT EXECUTE ON FUNCTION jobs.create_queue(text,jsonb) TO airlock_system;
GRANT EXECUTE ON FUNCTION jobs.create_queue(text,jsonb) TO owner;
GRANT EXECUTE ON FUNCTION jobs.delete_queue(text) TO app;
GRANT EXECUTE ON FUNCTION jobs.delete_queue(text) TO airlock_system;
GRANT EXECUTE ON FUNCTION jobs.delete_queue(text) TO owner;
GRANT EXECUTE ON FUNCTION jobs.job_now() TO app;
GRANT EXECUTE ON FUNCTION jobs.job_now() TO airlock_system;
GRANT EXECUTE ON FUNCTION jobs.job_now() TO owner;
GRANT EXECUTE ON FUNCTION jobs.job_table_format(text,text) TO app;
GRANT EXECUTE ON FUNCTION jobs.job_table_format(text,text) TO airlock_system;
GRANT EXECUTE ON FUNCTION jobs.job_table_format(text,text) TO owner;
GRANT EXECUTE ON FUNCTION jobs.job_table_run(text,text,text) TO app;
GRANT EXECUTE ON FUNCTION jobs.job_table_run(text,text,text) TO airlock_system;
GRANT EXECUTE ON FUNCTION jobs.job_table_run(text,text,text) TO owner;
GRANT EXECUTE ON FUNCTION jobs.job_table_run_async(text,integer,text,text,text) TO app;
GRANT EXECUTE ON FUNCTION jobs.job_table_run_async(text,integer,text,text,text) TO airlock_system;
GRANT EXECUTE ON FUNCTION jobs.job_table_run_async(text,integer,text,text,text) TO owner;
ALTER DEFAULT PRIVILEGES FOR ROLE owner GRANT EXECUTE ON FUNCTIONS TO owner;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT DELETE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT DELETE ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT EXECUTE ON FUNCTIONS TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT EXECUTE ON FUNCTIONS TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT INSERT ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT INSERT ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT SELECT ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT SELECT ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT UPDATE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA jobs GRANT UPDATE ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT DELETE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT DELETE ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT INSERT ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT INSERT ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT ON SEQUENCES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT ON SEQUENCES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT SELECT ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT UPDATE ON TABLES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT UPDATE ON TABLES TO airlock_system;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO app;
ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA public GRANT USAGE ON SEQUENCES TO airlock_system;
