import { useSignal } from '@preact/signals';
import { client, messageOf } from '../app/api.ts';
import { href } from '../app/router.ts';
import { can } from '../app/session.ts';
import { Button } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';

/** In place of an empty list. */
export function NoJobs({ filtered }: { filtered: boolean }) {
  if (!filtered) return <FirstJob />;
  return (
    <Empty title="No job matches">
      <a class="button" href={href(['jobs'])}>
        Show all jobs
      </a>
    </Empty>
  );
}

/** One click to something that moves. */
function FirstJob() {
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const create = async () => {
    busy.value = true;
    problem.value = null;
    try {
      await client.submit('demo', {});
    } catch (error) {
      problem.value = messageOf(error);
    }
    busy.value = false;
  };
  return (
    <Empty title="No jobs yet">
      <p>Jobs that are created over GraphQL, REST, a client or a schedule appear here by themselves.</p>
      {can('WRITE') && (
        <Button primary busy={busy.value} onClick={() => void create()}>
          Create a demo job
        </Button>
      )}
      {problem.value !== null && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
    </Empty>
  );
}
