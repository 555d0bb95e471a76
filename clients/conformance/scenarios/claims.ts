import { type Scenario, Stuck, shown } from '../stage.ts';

/** How long it is watched without work, in milliseconds. */
const watched = 1_500;

/** So often one that has no work may ask in this time. */
const mostClaims = 10;

/** Sees how it waits for work, and how much it has room for. */
export const claims: Scenario = {
  checks: ['claims'],
  async run(stage) {
    const { desk, verdicts } = stage;
    await desk.until(() => {
      stage.room = Math.max(stage.room, desk.room);
      stage.claims = Math.max(stage.claims, desk.waitingClaims);
      return false;
    }, watched);
    const made = desk.calls.filter(({ purpose }) => purpose === 'claim').length;
    const seen = `without work it claimed ${made} times in ${shown(watched)}`;
    if (made > mostClaims * Math.max(1, stage.claims)) verdicts.fail('claims', seen);
    else verdicts.pass('claims', `${seen}, with room for ${stage.room}`);
    if (stage.room === 0) throw new Stuck('it has room for no job');
  },
};
