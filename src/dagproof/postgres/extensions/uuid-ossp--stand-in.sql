-- What uuid-ossp does, in SQL: the same values where these follow from what goes in, random ones elsewhere.

CREATE FUNCTION uuid_nil() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '00000000-0000-0000-0000-000000000000'::uuid $$;
CREATE FUNCTION uuid_ns_dns() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid $$;
CREATE FUNCTION uuid_ns_url() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid $$;
CREATE FUNCTION uuid_ns_oid() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid $$;
CREATE FUNCTION uuid_ns_x500() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid $$;

CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT pg_catalog.gen_random_uuid() $$;

-- Versions 1 are random here, but for their version: no row can depend on the time and the machine that are in them.
CREATE FUNCTION uuid_generate_v1() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT overlay(pg_catalog.gen_random_uuid()::text placing '1' from 15)::uuid $$;
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT overlay(pg_catalog.gen_random_uuid()::text placing '1' from 15)::uuid $$;

CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    SELECT pg_catalog.encode(
        pg_catalog.set_byte(pg_catalog.set_byte(h, 6, (pg_catalog.get_byte(h, 6) & 15) | 48),
                            8, (pg_catalog.get_byte(h, 8) & 63) | 128), 'hex')::uuid
    FROM (SELECT pg_catalog.decode(pg_catalog.md5(
        pg_catalog.uuid_send(namespace) || pg_catalog.convert_to(name, 'UTF8')), 'hex')) AS hashed(h)
    $$;

CREATE FUNCTION uuid_generate_v5(namespace uuid, name text) RETURNS uuid
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        message bytea;
        hash bytea;
    BEGIN
        message := pg_catalog.uuid_send(namespace) || pg_catalog.convert_to(name, 'UTF8');
        -- include sha1.sql
        message := pg_catalog.substr(hash, 1, 16);
        message := pg_catalog.set_byte(message, 6, (pg_catalog.get_byte(message, 6) & 15) | 80);
        message := pg_catalog.set_byte(message, 8, (pg_catalog.get_byte(message, 8) & 63) | 128);
        RETURN pg_catalog.encode(message, 'hex')::uuid;
    END $$;
