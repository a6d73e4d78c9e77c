        -- Puts the SHA-1 of `message` into `hash`.
        DECLARE
            blocks bytea;
            w bigint[];
            mask constant bigint := 4294967295;
            h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
            a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint; x bigint;
        BEGIN
            blocks := message || '\x80'::bytea;
            blocks := blocks || pg_catalog.decode(pg_catalog.repeat('00', (120 - pg_catalog.length(blocks) % 64) % 64), 'hex')
                || pg_catalog.int8send(pg_catalog.length(message)::bigint * 8);
            FOR block IN 0 .. pg_catalog.length(blocks) / 64 - 1 LOOP
                w := NULL;
                FOR n IN 0 .. 15 LOOP
                    x := 0;
                    FOR m IN 0 .. 3 LOOP
                        x := x * 256 + pg_catalog.get_byte(blocks, block * 64 + n * 4 + m);
                    END LOOP;
                    w[n] := x;
                END LOOP;
                FOR n IN 16 .. 79 LOOP
                    x := w[n - 3] # w[n - 8] # w[n - 14] # w[n - 16];
                    w[n] := ((x << 1) & mask) | (x >> 31);
                END LOOP;
                a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
                FOR n IN 0 .. 79 LOOP
                    IF n < 20 THEN f := (b & c) | ((b # mask) & d); k := 1518500249;
                    ELSIF n < 40 THEN f := b # c # d; k := 1859775393;
                    ELSIF n < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
                    ELSE f := b # c # d; k := 3395469782;
                    END IF;
                    t := ((((a << 5) & mask) | (a >> 27)) + f + e + k + w[n]) & mask;
                    e := d; d := c; c := ((b << 30) & mask) | (b >> 2); b := a; a := t;
                END LOOP;
                h := ARRAY[(h[1] + a) & mask, (h[2] + b) & mask, (h[3] + c) & mask, (h[4] + d) & mask, (h[5] + e) & mask];
            END LOOP;
            hash := '';
            FOR n IN 1 .. 5 LOOP
                hash := hash || pg_catalog.substr(pg_catalog.int8send(h[n]), 5, 4);
            END LOOP;
        END;
