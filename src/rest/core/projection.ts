import type { ArtifactLinks } from '../../files/links.ts';
import type { Job } from '../../jobs/model/job.ts';

/** What a dialect shows of a job: a pure function of the row, of what signs the URLs in it, and of the time. */
export type Projection = (job: Job, links: ArtifactLinks, at: Date) => object;
