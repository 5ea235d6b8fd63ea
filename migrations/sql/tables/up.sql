-- The tables of a multi-tenant call service, as production has them: no foreign keys, no CHECKs, no partitions.
-- Every key that matters can be led by workspace_id, ids are made by the client or at random, and no sequence is
-- shared by tenants, so that the tables can be distributed by workspace_id without a change to a query.

CREATE TABLE workspace (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    slug       varchar(64) NOT NULL UNIQUE,
    name       varchar(255) NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE employee (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    name         varchar(255) NOT NULL,
    email        varchar(254) NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app_user (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email       varchar(254) NOT NULL UNIQUE,
    name        varchar(255) NOT NULL,
    role        varchar(20) NOT NULL,
    employee_id uuid,
    is_active   boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_workspace (
    user_id      uuid NOT NULL,
    workspace_id uuid NOT NULL,
    PRIMARY KEY (user_id, workspace_id)
);

-- Only the hash of a token is stored; the token itself is shown once, to its owner.
CREATE TABLE auth_token (
    token_sha256 bytea PRIMARY KEY,
    user_id      uuid NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE label (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    name         varchar(100) NOT NULL,
    UNIQUE (workspace_id, name)
);

CREATE TABLE customer (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id     uuid NOT NULL,
    name             varchar(255) NOT NULL,
    email            varchar(254),
    phone            varchar(20) NOT NULL,
    carrier          varchar(50),
    status           varchar(20) NOT NULL,
    quality          varchar(20) NOT NULL,
    call_status      varchar(20) NOT NULL,
    duration         double precision NOT NULL DEFAULT 0,
    is_test          boolean NOT NULL DEFAULT false,
    checked          boolean NOT NULL DEFAULT false,
    other_attributes jsonb NOT NULL DEFAULT '{}',
    is_deleted       boolean NOT NULL DEFAULT false,
    deleted_at       timestamptz,
    employee_id      uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE customer_label (
    customer_id uuid NOT NULL,
    label_id    uuid NOT NULL,
    PRIMARY KEY (customer_id, label_id)
);

CREATE TABLE call_campaign (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    name         varchar(255) NOT NULL,
    status       varchar(20) NOT NULL,
    started_at   timestamptz,
    ended_at     timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE call_campaign_customer (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    campaign_id  uuid NOT NULL,
    customer_id  uuid NOT NULL,
    status       varchar(20) NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE call (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id         uuid NOT NULL,
    customer_id          uuid NOT NULL,
    campaign_customer_id uuid,
    direction            varchar(10) NOT NULL,
    status               varchar(20) NOT NULL,
    duration             double precision NOT NULL,
    duration_seconds     integer NOT NULL,
    recording_url        varchar(200),
    transcript           text,
    sentiment_score      double precision,
    call_type            varchar(20) NOT NULL,
    billing_rate         numeric(10, 4),
    created_at           timestamptz NOT NULL DEFAULT now()
);
