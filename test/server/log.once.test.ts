import { expect, test } from 'vitest';
import { createLog, type LogLevel } from '../../src/server/json-log.ts';

function openLog(level: LogLevel) {
  const lines: string[] = [];
  return { lines, log: createLog(level, { write: (line) => void lines.push(line) }) };
}

test('secrets are not written, wherever a request, a configuration or an error holds them', () => {
  const { lines, log } = openLog('info');
  const headers = { authorization: 'Bearer hunter2', 'x-api-key': 'hunter2', cookie: 'session=hunter2', host: 'here' };
  const config = { databaseUrl: 'postgres://longhaul:hunter2@host/longhaul' };
  const err = Object.assign(new Error('The call failed.'), { config: { password: 'hunter2' }, token: 'hunter2' });

  log.info({ req: { headers }, secret: 'hunter2', key: { apiKey: 'hunter2' }, config }, 'a');
  log.error({ err }, 'b');

  expect(lines).toEqual([expect.stringContaining('"host":"here"'), expect.stringContaining('The call failed.')]);
  expect(lines.join('')).not.toContain('hunter2');
});

test('errors of the database are written without rows and without the values of statements', () => {
  const { lines, log } = openLog('info');
  const attached = { code: '23514', table: 'job', detail: 'Failing row contains (hunter2).', where: 'at hunter2', query: "insert 'hunter2'", params: ['hunter2'] };
  const fault = Object.assign(new Error(`It breaks a rule.\n - detail: ${attached.detail}`), attached);
  log.error({ err: fault }, 'a');
  log.error({ err: new Error('The call failed.', { cause: fault }) }, 'b');
  expect(lines).toEqual([expect.stringContaining('"code":"23514"'), expect.stringContaining('It breaks a rule.')]);
  expect(lines.join('')).not.toContain('hunter2');
});

test('what is less severe than the level is not written', () => {
  const { lines, log } = openLog('warn');

  log.debug({}, 'a');
  log.info({}, 'b');
  log.warn({}, 'c');
  log.error({}, 'd');

  expect(lines.map((line) => line.includes('"msg":"c"') || line.includes('"msg":"d"'))).toEqual([true, true]);
});
