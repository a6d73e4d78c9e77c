-- What pgcrypto is mostly used for, in SQL: hashes, random bytes. What SQL cannot do says so when it is called.

CREATE FUNCTION gen_random_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT pg_catalog.gen_random_uuid() $$;

CREATE FUNCTION gen_random_bytes(count integer) RETURNS bytea LANGUAGE plpgsql VOLATILE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        made bytea := '';
    BEGIN
        IF count < 1 OR count > 1024 THEN
            RAISE EXCEPTION 'Length not in range' USING ERRCODE = 'external_routine_invocation_exception';
        END IF;
        WHILE pg_catalog.length(made) < count LOOP
            made := made || pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
                                              || pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));
        END LOOP;
        RETURN pg_catalog.substr(made, 1, count);
    END $$;

CREATE FUNCTION digest(data bytea, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
    DECLARE
        message bytea;
        hash bytea;
    BEGIN
        CASE pg_catalog.lower(type)
            WHEN 'md5' THEN RETURN pg_catalog.decode(pg_catalog.md5(data), 'hex');
            WHEN 'sha224' THEN RETURN pg_catalog.sha224(data);
            WHEN 'sha256' THEN RETURN pg_catalog.sha256(data);
            WHEN 'sha384' THEN RETURN pg_catalog.sha384(data);
            WHEN 'sha512' THEN RETURN pg_catalog.sha512(data);
            WHEN 'sha1' THEN message := data;
            ELSE RAISE EXCEPTION 'Cannot use "%": No such hash algorithm', type USING ERRCODE = 'invalid_parameter_value';
        END CASE;
        -- include sha1.sql
        RETURN hash;
    END $$;
CREATE FUNCTION digest(data text, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT
    AS $$ BEGIN RETURN digest(pg_catalog.convert_to(data, 'UTF8'), type); END $$;

CREATE FUNCTION hmac(data bytea, key bytea, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT
    AS $$
    DECLARE
        block integer := CASE WHEN pg_catalog.lower(type) IN ('sha384', 'sha512') THEN 128 ELSE 64 END;
        k bytea := key;
        inner_pad bytea := '';
        outer_pad bytea := '';
        byte integer;
    BEGIN
        IF pg_catalog.length(k) > block THEN
            k := digest(k, type);
        END IF;
        FOR n IN 0 .. block - 1 LOOP
            byte := CASE WHEN n < pg_catalog.length(k) THEN pg_catalog.get_byte(k, n) ELSE 0 END;
            inner_pad := inner_pad || pg_catalog.set_byte('\x00'::bytea, 0, byte # 54);
            outer_pad := outer_pad || pg_catalog.set_byte('\x00'::bytea, 0, byte # 92);
        END LOOP;
        RETURN digest(outer_pad || digest(inner_pad || data, type), type);
    END $$;
CREATE FUNCTION hmac(data text, key text, type text) RETURNS bytea LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    SET search_path FROM CURRENT
    AS $$ BEGIN RETURN hmac(pg_catalog.convert_to(data, 'UTF8'), pg_catalog.convert_to(key, 'UTF8'), type); END $$;

-- What SQL cannot do.
DO $do$
    DECLARE
        signature text;
    BEGIN
        FOREACH signature IN ARRAY ARRAY[
            'crypt(password text, salt text) RETURNS text',
            'gen_salt(type text) RETURNS text',
            'gen_salt(type text, rounds integer) RETURNS text',
            'encrypt(data bytea, key bytea, type text) RETURNS bytea',
            'decrypt(data bytea, key bytea, type text) RETURNS bytea',
            'encrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea',
            'decrypt_iv(data bytea, key bytea, iv bytea, type text) RETURNS bytea',
            'pgp_sym_encrypt(data text, password text) RETURNS bytea',
            'pgp_sym_encrypt(data text, password text, options text) RETURNS bytea',
            'pgp_sym_decrypt(message bytea, password text) RETURNS text',
            'pgp_sym_decrypt(message bytea, password text, options text) RETURNS text',
            'pgp_pub_encrypt(data text, key bytea) RETURNS bytea',
            'pgp_pub_decrypt(message bytea, key bytea) RETURNS text'
        ] LOOP
            EXECUTE pg_catalog.format($make$
CREATE FUNCTION %s LANGUAGE plpgsql VOLATILE PARALLEL SAFE
    AS $$ BEGIN
        RAISE EXCEPTION '%s() needs the real pgcrypto; the embedded PostgreSQL has a stand-in without it'
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Prove with --postgres testcontainers, or with the address of a server that has pgcrypto.';
    END $$
            $make$, signature, pg_catalog.split_part(signature, '(', 1));
        END LOOP;
    END $do$;
