import { beforeAll, describe, expect, it } from '@jest/globals';
import { loadModule } from 'libpg-query';
import { ownerColumns } from './owner-columns.js';

beforeAll(loadModule);

const USER = `current_setting('app.user_id'::text, true)`;

/** As PostgreSQL prints the expressions of policies. */
const EXPRESSIONS: readonly [string, string[][]][] = [
  [`(owner_id = ${USER})`, [['owner_id']]],
  [`(${USER} = (owner_id)::text)`, [['owner_id']]],
  [`("Owner" = (NULLIF(current_setting('App.User_Id'::text, true), ''::text))::uuid)`, [['Owner']]],
  [`(owner_id = ( SELECT ${USER} AS current_setting))`, [['owner_id']]],
  [`((owner_id COLLATE "C") = public.me())`, [['owner_id']]],
  [`(NOT (owner_id IS DISTINCT FROM ${USER}))`, [[]]],
  [`(team_id IN ( SELECT m.team_id FROM public.members m WHERE (m.user_id = ${USER})))`, [['team_id']]],
  [`(rank < ANY ( SELECT m.rank FROM public.members m WHERE (m.user_id = ${USER})))`, [[]]],
  [`(owner_id = ANY (ARRAY[${USER}, 'shared'::text]))`, [['owner_id']]],
  [`((owner_id = ${USER}) AND (deleted_at IS NULL))`, [['owner_id']]],
  [`((a = ${USER}) AND ((b = ${USER}) OR (c = ${USER})))`, [['a', 'b'], ['a', 'c']]], // prettier-ignore
  [`((owner_id = ${USER}) OR is_public)`, [['owner_id'], []]],
  [`(lower(owner_id) = ${USER})`, [[]]],
  [`(owner_id <> ${USER})`, [[]]],
  [`(NOT (owner_id = ${USER}))`, [[]]],
  [`(tenant = current_setting('app.tenant'::text, true))`, [[]]],
  [`(owner_id = public.other())`, [[]]],
  [`(EXISTS ( SELECT FROM public.members m WHERE ((m.team = notes.team) AND (m.user_id = ${USER}))))`, [[]]],
  ['true', [[]]],
];

describe('ownerColumns', () => {
  it.each(EXPRESSIONS)('finds the columns that %s compares with the user', (expression, expected) => {
    expect(ownerColumns(expression, ['public.me'])).toEqual(expected);
  });
});
