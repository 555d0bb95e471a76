import { type Scenario, Stuck, shown } from '../stage.ts';

/** How long all of its claims are awaited, in milliseconds: longer than the pause of one that does not wait. */
const gathered = 700;

/** How long it is watched without work after that, in milliseconds. */
const watched = 1_500;

/** So often each of its claims may come in this time: twice what a pause of half a second makes. */
const mostOfEach = 8;

/** Sees how much it has room for, how many claims of it wait side by side, and how it waits for work. */
export const claims: Scenario = {
  checks: ['claims'],
  async run(stage) {
    const { desk, verdicts } = stage;
    await desk.until(() => {
      stage.room = Math.max(stage.room, desk.room);
      stage.claims = Math.max(stage.claims, desk.waitingClaims);
      return false;
    }, gathered);
    if (stage.room === 0) throw new Stuck('it has room for no job');
    const from = performance.now();
    desk.isPrompt = true;
    desk.answerClaims();
    await desk.until(() => false, watched);
    desk.isPrompt = false;
    const made = desk.calls.filter(({ purpose, at }) => purpose === 'claim' && at >= from).length;
    const seen = `without work it claimed ${made} times in ${shown(watched)}, ${stage.claims} side by side`;
    if (made > mostOfEach * stage.claims) verdicts.fail('claims', seen);
    else verdicts.pass('claims', `${seen}, with room for ${stage.room}`);
  },
};
