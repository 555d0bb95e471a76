import { counted } from '../app/counted.ts';
import { useQuery } from '../app/use-query.ts';
import { mutate } from '../app/mutate.ts';
import { notify } from '../app/notices.tsx';
import { useRefresh } from '../app/use-refresh.ts';
import { can } from '../app/session.ts';
import { Time } from '../app/time.tsx';
import { deliveryStates, eventNames } from '../app/webhook-words.ts';
import { ReadDeliveriesDocument, RedeliverDocument, type ShownDeliveryFragment } from '../generated/job.ts';
import { ActButton } from '../ui/act-button.tsx';
import { Answer } from '../ui/answer.tsx';
import { Badge } from '../ui/badge.tsx';
import './deliveries-view.css';

/** While one waits for its next try, it is looked for so often, in seconds: no subscription tells of deliveries. */
const lookEvery = 3;

/** What was sent to the webhook of a job that has ended, and what came of it. */
export function DeliveriesView({ id }: { id: string }) {
  const { loaded, reload } = useQuery(ReadDeliveriesDocument, { id });
  const waiting = loaded.data?.job?.webhookDeliveries.edges.some(({ node }) => node.status === 'PENDING') ?? false;
  useRefresh(reload, waiting ? lookEvery : null);
  return (
    <Answer loaded={loaded} reload={reload} rows={1}>
      {({ job }) =>
        job === null || job.webhookDeliveries.edges.length === 0 ? (
          <p class="soft">None. A job with a webhookUrl tells it when it has ended.</p>
        ) : (
          <ul class="deliveries">
            {job.webhookDeliveries.edges.map(({ node }) => (
              <li key={node.id}>
                <Delivery delivery={node} reload={reload} />
              </li>
            ))}
          </ul>
        )
      }
    </Answer>
  );
}

function Delivery({ delivery, reload }: { delivery: ShownDeliveryFragment; reload: () => Promise<void> }) {
  const { id, event, status, url, attemptCount, lastResponseStatus, lastError, createdAt, deliveredAt } = delivery;
  const redeliver = async () => {
    await mutate(RedeliverDocument, { id });
    await reload();
    notify('It is sent again.');
  };
  return (
    <>
      <div class="row">
        <Badge tone={deliveryStates[status].tone}>{deliveryStates[status].word}</Badge>
        <code>{eventNames[event]}</code>
        <span class="soft">
          {counted(attemptCount, 'try', 'tries')}
          {lastResponseStatus !== null && `, answered ${lastResponseStatus}`}
        </span>
        <span class="soft">
          <Time at={deliveredAt ?? createdAt} />
        </span>
        <span class="grow" />
        {can('WRITE') && (
          <ActButton act={redeliver} label={`Redeliver ${eventNames[event]}`}>
            Redeliver
          </ActButton>
        )}
      </div>
      <div class="clip soft" title={url}>
        {url}
      </div>
      {lastError !== null && <p class="deliveries-error">{lastError}</p>}
    </>
  );
}
