-- Transactions and what the model says of them. Applying it again changes nothing.

CREATE TABLE IF NOT EXISTS transactions (
    transaction_id text           NOT NULL, -- the shop's own
    customer_id    bigint         NOT NULL,
    happened_at    timestamptz    NOT NULL,
    amount         numeric(12, 2) NOT NULL CHECK (amount >= 0),
    currency       text           NOT NULL,
    channel        text           NOT NULL,
    country        text           NOT NULL, -- where it happened
    home_country   text           NOT NULL, -- where the customer lives
    dt             date           NOT NULL, -- the partition: the day in UTC
    PRIMARY KEY (dt, transaction_id)
);
CREATE TABLE IF NOT EXISTS predictions (
    prediction_id  uuid          NOT NULL UNIQUE, -- of the model and the transaction: the same each time
    transaction_id text          NOT NULL,
    score          numeric(7, 6) NOT NULL CHECK (score BETWEEN 0 AND 1), -- how likely it is fraud
    model          text          NOT NULL,
    dt             date          NOT NULL,
    PRIMARY KEY (dt, transaction_id)
);
CREATE TABLE IF NOT EXISTS transactions_rejected (
    line   bigint NOT NULL, -- of the day's file, from 1
    reason text   NOT NULL,
    raw    text   NOT NULL, -- as in the file; a NUL character shows as U+2400
    dt     date   NOT NULL,
    PRIMARY KEY (dt, line)
);

-- What a run that did not come to its end has got from the model already: nobody's business but the next attempt's.
CREATE TABLE IF NOT EXISTS scored_batches (
    batch_id uuid               NOT NULL, -- of the transactions in it
    model    text               NOT NULL,
    scores   double precision[] NOT NULL,
    dt       date               NOT NULL,
    PRIMARY KEY (dt, batch_id)
);
