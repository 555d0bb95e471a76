import type { z } from 'zod';
import { mainName } from '../../../files/artifact-entity.ts';
import { analysisInput } from '../../../jobs/types/media/types.ts';
import type { JsonObject } from '../../../json.ts';
import type { Handler } from '../../handler.ts';
import type { Media, MediaRun } from '../../media/media.ts';
import type { Probed, VideoStream } from '../../media/probed.ts';
import { percentagesOf } from '../../media/stages.ts';
import { Events } from './events.ts';
import { type MadeFile, mediaHandler, renamed } from './frame.ts';
import { makeSheet } from './sheet.ts';

/** Of each list in the output, which is bounded as a whole. */
const mostEntries = 2_000;

/** Pixels: what changes between scenes is seen in a small picture, too. */
const seenWidth = 320;

/** Pixels of a picture on the page. */
const thumbnail = { width: 240, mostHeight: 960 } as const;

/** `media/analysis`: what a source holds, and where in it something happens. */
export function createAnalysisHandler(media: Media): Handler {
  return mediaHandler(media, analysisInput, async ({ input, run, working, bring }) => {
    const filename = await bring([{ url: input.sourceUrl, name: 'source' }]);
    const source = await run.probe('source');
    working.report({ step: 'analysing', message: null, percentage: 0 });
    const events = new Events(source.seconds);
    await run.ffmpeg({
      inputs: [{ name: 'source' }],
      outputs: outputsOf(input, source),
      what: 'The analysis',
      seconds: source.seconds,
      onPercentage: percentagesOf(working),
      onLine: (line) => events.take(line),
    });
    const keyframes = source.video.length === 0 ? [] : await keyframesOf(run);
    const files: MadeFile[] = [];
    const [picture] = source.video;
    if (picture !== undefined) {
      const columns = Math.ceil(Math.sqrt(input.thumbnails));
      const sheet = await makeSheet(run, source, { columns, rows: Math.ceil(input.thumbnails / columns), width: thumbnailWidth(picture), name: 'thumbnails.jpg' });
      files.push({
        path: 'thumbnails.jpg',
        name: mainName,
        filename: renamed(filename, '-thumbnails', 'jpg'),
        mediaType: 'image/jpeg',
        facts: { columns: sheet.columns, pictures: sheet.pictures, interval: sheet.interval },
      });
    }
    return { output: { sourceUrl: input.sourceUrl, ...describe(source), ...events.found(mostEntries), keyframes: keyframes.slice(0, mostEntries) }, files };
  });
}

/** A picture that is many times higher than wide is drawn narrower, so that its page stays a page. */
function thumbnailWidth({ width, height, pixelForm }: VideoStream): number {
  const form = (width * pixelForm) / height;
  return Math.max(2, 2 * Math.floor(Math.min(thumbnail.width, thumbnail.mostHeight * form) / 2));
}

function outputsOf(input: z.output<typeof analysisInput>, { video: [picture], audio: [sound] }: Probed) {
  const pictures = `scale=${seenWidth}:-2,scdet=threshold=${input.sceneThreshold},blackdetect=d=${input.blackSeconds},freezedetect=n=-60dB:d=${input.freezeSeconds}`;
  const sounds = `silencedetect=n=${input.silenceLevel}dB:d=${input.silenceSeconds},ebur128=peak=true:framelog=verbose`;
  return [
    ...(picture === undefined ? [] : [{ options: ['-map', `0:${picture.index}`, '-vf', pictures, '-f', 'null'], name: '-' }]),
    ...(sound === undefined ? [] : [{ options: ['-map', `0:${sound.index}`, '-af', sounds, '-f', 'null'], name: '-' }]),
  ];
}

/** Seconds at which a player can begin, without decoding anything. */
async function keyframesOf(run: MediaRun): Promise<number[]> {
  const times: number[] = [];
  await run.ask('source', ['-select_streams', 'V:0', '-show_entries', 'packet=pts_time,flags', '-print_format', 'csv=p=0'], (line) => {
    const [time = '', flags = ''] = line.split(',');
    if (flags.startsWith('K') && Number.isFinite(Number(time)) && time !== '') times.push(Number(time));
  });
  return times;
}

function describe({ container, seconds, bitRate, video, audio, subtitles }: Probed): JsonObject {
  return {
    container,
    seconds,
    bitRate,
    video: video.map((stream) => ({ ...stream })),
    audio: audio.map((stream) => ({ ...stream })),
    subtitles: subtitles.map((stream) => ({ ...stream })),
  };
}
