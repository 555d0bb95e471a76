import { describe, expect, onTestFinished, test } from 'vitest';
import { startLonghaul } from '../support/longhaul.ts';
import { hasFfmpeg, serveFiles, usualClip } from '../support/media.ts';
import { startReader } from '../support/readme.ts';

function idIn(answer: string): string {
  return /"id":"([^"]+)"/.exec(answer)?.[1] ?? '';
}

describe.runIf(hasFfmpeg())('with ffmpeg', () => {
  test("the README's film becomes two smaller ones while its percentage is watched", async () => {
    const longhaul = await startLonghaul({ ROLE: 'all', OUTBOUND_ALLOW: 'localhost' });
    onTestFinished(() => longhaul.stop());
    const key = await (await longhaul.workspace()).key();
    const { film } = await serveFiles({ film: await usualClip() });
    const reader = startReader(longhaul.url);
    await reader.paste('URL=', { KEY: () => key, ID: idIn });
    const [, created = '', printed = ''] = await reader.paste('FILM=', { FILM: () => film ?? '', EXPORT: idIn });
    expect(created).toContain('"warnings":[]');
    expect(printed).toContain('"step":"exporting"');
    expect(printed).toContain('"percentage":100');
    const { job } = JSON.parse(printed.slice(printed.lastIndexOf('{"data"'))).data;
    expect(job).toMatchObject({ error: null, artifacts: [{ name: 'webm', mediaType: 'video/webm' }, { name: 'gif', mediaType: 'image/gif' }] });
    expect(job.output.files.map(({ width }: { width: number }) => width)).toEqual([320, 160]);
  });
});
