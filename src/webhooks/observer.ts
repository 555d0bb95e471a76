/** `retried`: it failed, and another try follows. */
export type TryOutcome = 'delivered' | 'retried' | 'given_up';

/** Is told of each try that was made, for metrics. */
export interface DeliveryObserver {
  tried(outcome: TryOutcome): void;
}
