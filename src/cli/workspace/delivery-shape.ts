import { propertiesIn } from '../output/columns.ts';
import type { Shape } from '../output/print-list.ts';

/** A delivery of a webhook, as far as tables show it. */
export interface ShownDelivery {
  id: string;
  url: string;
  event: string;
  status: string;
  attemptCount: number;
  lastResponseStatus: number | null;
  lastError: string | null;
  createdAt: string;
  deliveredAt: string | null;
}

export const deliveryFields = 'id url event status attemptCount lastResponseStatus lastError createdAt deliveredAt';

export const deliveryShape: Shape<ShownDelivery> = {
  columns: { id: null, event: null, status: null, tries: ({ attemptCount }) => attemptCount, last: ({ lastResponseStatus, lastError }) => lastError ?? lastResponseStatus, createdAt: null, url: null },
  properties: propertiesIn(deliveryFields),
  id: 'id',
};

/** One of a list, which tells its job, too: a key that sends deliveries again need not read jobs. */
export interface ListedDelivery extends ShownDelivery {
  job: { id: string; type: string } | null;
}

export const listedDeliveryFields = `${deliveryFields} job { id type }`;

export const listedDeliveryShape: Shape<ListedDelivery> = {
  columns: { ...deliveryShape.columns, job: ({ job }) => job?.id ?? null },
  properties: propertiesIn(listedDeliveryFields),
  id: 'id',
};
