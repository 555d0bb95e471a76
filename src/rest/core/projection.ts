import type { ArtifactLinks } from '../../files/links.ts';
import type { Job } from '../../jobs/model/job.ts';

/** What a dialect shows of a job, which has no secrets any more (`JobTypes.shown`): a pure function of it, of what signs the URLs in it, and of the time. */
export type Projection = (job: Job, links: ArtifactLinks, at: Date) => object;
