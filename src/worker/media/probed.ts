/** What a file of media holds. */
export interface Probed {
  /** The names of ffmpeg's demuxer, for example `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: string;
  /** Null if it does not say, as a still picture. What it claims need not be true. */
  seconds: number | null;
  /** The second that its clock shows at its begin: 0 for most. */
  begins: number;
  /** Bits a second. */
  bitRate: number | null;
  /** Without the pictures on the covers of music. */
  video: VideoStream[];
  audio: AudioStream[];
  subtitles: { index: number; codec: string; language: string | null }[];
}

export interface VideoStream {
  index: number;
  codec: string;
  /** As it is shown: phones store upright films lying, with a rotation. */
  width: number;
  height: number;
  /** How much wider than high a pixel is: 1 for nearly all. */
  pixelForm: number;
  /** Frames a second, on average; null if unknown. */
  frameRate: number | null;
  pixelFormat: string;
}

export interface AudioStream {
  index: number;
  codec: string;
  sampleRate: number;
  channels: number;
  /** As the file tags it; null if it does not. */
  language: string | null;
}
