-- Who was put into which group of an experiment, append-only. `experiment`: the name of a split, or '' for the control group
-- of the whole rule, whose arms are `holdout` and `treated`. `at`: the moment of the draw; `propensity`: the probability that
-- the arm had in it, and `shares` (JSON, by arm) what all of them had. `journey`: the one that made the draw.
create table exposure (
  id         integer primary key,
  customer   integer not null,
  rule       text not null,
  experiment text not null,
  arm        text not null,
  at         integer not null,
  journey    integer not null,
  propensity real not null,
  shares     text not null
);
create index exposure_customer on exposure (customer);
create index exposure_experiment on exposure (rule, experiment, customer);

-- Of splits that learn: journeys in each arm, and those of them that met what it grows towards, by the hour in which the
-- window of that ends (hours since 1970). Only those whose window is over teach anything.
create table arm_hour (
  rule text not null, split text not null, arm text not null, hour integer not null,
  assigned integer not null, met integer not null,
  primary key (rule, split, arm, hour)
) without rowid;
