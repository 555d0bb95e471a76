import { useSignal } from '@preact/signals';
import { atHome } from '../app/api.ts';
import { Time } from '../app/time.tsx';
import type { WholeJobFragment } from '../generated/job.ts';
import { bytesText } from '../ui/bytes.ts';
import { CopyButton } from '../ui/copy.tsx';
import './job-files.css';

/** What it made and what it was given, with what can be shown of them. */
export function JobFiles({ artifacts, uploads }: Pick<WholeJobFragment, 'artifacts' | 'uploads'>) {
  return (
    <ul class="files">
      {artifacts.map((artifact) => (
        <li key={artifact.id}>
          <Preview mediaType={artifact.mediaType} url={atHome(artifact.url)} name={artifact.filename} />
          <div class="file-head">
            <a href={atHome(artifact.url)} download={artifact.filename} class="clip" title={artifact.filename}>
              {artifact.filename}
            </a>
            <span class="soft">
              {artifact.name === artifact.filename ? '' : `${artifact.name}, `}
              {artifact.mediaType}, {bytesText(artifact.bytes)}
            </span>
          </div>
          <Checksum sha256={artifact.sha256} />
          <div class="soft">
            Kept until <Time at={artifact.expiresAt} />
          </div>
        </li>
      ))}
      {uploads.map((upload) => (
        <li key={upload.id}>
          {upload.url !== null && <Preview mediaType={upload.mediaType} url={atHome(upload.url)} name={upload.filename} />}
          <div class="file-head">
            {upload.url === null ? (
              <strong class="clip" title={upload.filename}>
                {upload.filename}
              </strong>
            ) : (
              <a href={atHome(upload.url)} download={upload.filename} class="clip" title={upload.filename}>
                {upload.filename}
              </a>
            )}
            <span class="soft">
              of the input, {upload.mediaType}, {upload.complete ? bytesText(upload.receivedBytes) : `${bytesText(upload.receivedBytes)} so far`}
            </span>
          </div>
          {upload.sha256 !== null && <Checksum sha256={upload.sha256} />}
          <div class="soft">
            Kept until <Time at={upload.expiresAt} />
          </div>
        </li>
      ))}
    </ul>
  );
}

function Checksum({ sha256 }: { sha256: string }) {
  return (
    <div class="row file-sum">
      <span class="soft">SHA-256</span>
      <code class="clip grow" title={sha256}>
        {sha256}
      </code>
      <CopyButton text={sha256} label="Copy SHA-256" />
    </div>
  );
}

/** Pictures, films and sounds, in place. The server says by `inline` that they may be shown; what else it has is saved. */
function Preview({ mediaType, url, name }: { mediaType: string; url: string; name: string }) {
  const failed = useSignal(false);
  const source = `${url}&inline`;
  const onError = () => (failed.value = true);
  if (failed.value) return <p class="soft">This browser cannot show it. Download it to see it.</p>;
  if (mediaType.startsWith('image/')) return <img class="preview" src={source} alt={name} loading="lazy" onError={onError} />;
  if (mediaType.startsWith('video/')) return <video class="preview" src={source} controls preload="metadata" aria-label={name} onError={onError} />;
  if (mediaType.startsWith('audio/')) return <audio class="preview" src={source} controls preload="metadata" aria-label={name} onError={onError} />;
  return null;
}
