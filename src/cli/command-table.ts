import type { Command } from 'commander';

/** A command in a file of its own, which is loaded when the command is given. */
export interface CommandEntry {
  name: string;
  summary: string;
  load: () => Promise<CommandFile>;
  /** It looks at all commands, so that they are loaded, too. */
  needsAll?: true;
}

/** What such a file exports. */
interface CommandFile {
  /** Says its arguments and options, and what it does. */
  declare(command: Command): void;
}

/** Commands of one topic: `longhaul jobs list`. */
export interface CommandGroup {
  name: string;
  summary: string;
  commands: readonly CommandEntry[];
  /** The one that runs where none is named. */
  defaultCommand?: string;
}

/** All commands, in the order of the help. */
export const commandTable: readonly (CommandEntry | CommandGroup)[] = [
  { name: 'serve', summary: 'start the server that the environment configures (what npm start does)', load: () => import('./serve.ts') },
  { name: 'login', summary: 'keep a key for a server', load: () => import('./contexts/login.ts') },
  { name: 'logout', summary: 'forget the key of a server', load: () => import('./contexts/logout.ts') },
  { name: 'whoami', summary: 'show the server, the workspace and the rights of the key in use', load: () => import('./contexts/whoami.ts') },
  {
    name: 'context',
    summary: 'list the servers that you are signed in to, or choose one',
    defaultCommand: 'list',
    commands: [
      { name: 'list', summary: 'list the servers that you are signed in to', load: () => import('./contexts/list-contexts.ts') },
      { name: 'use', summary: 'choose the server of the commands to come', load: () => import('./contexts/use-context.ts') },
    ],
  },
  { name: 'run', summary: 'create a job, watch it to its end, and print its output', load: () => import('./jobs/run-job.ts') },
  { name: 'create', summary: 'create a job and leave it', load: () => import('./jobs/create-job.ts') },
  { name: 'watch', summary: 'watch jobs to their ends', load: () => import('./jobs/watch-jobs.ts') },
  {
    name: 'jobs',
    summary: 'list jobs, look at them, and act on them',
    defaultCommand: 'list',
    commands: [
      { name: 'list', summary: 'list jobs', load: () => import('./jobs/list-jobs.ts') },
      { name: 'get', summary: 'show all of a job', load: () => import('./jobs/show-job.ts') },
      { name: 'logs', summary: "show what a job's workers wrote down", load: () => import('./jobs/follow-logs.ts') },
      { name: 'cancel', summary: 'cancel jobs', load: () => import('./jobs/cancel-jobs.ts') },
      { name: 'retry', summary: 'create jobs again that failed or were cancelled', load: () => import('./jobs/retry-jobs.ts') },
      { name: 'delete', summary: 'remove jobs that have ended', load: () => import('./jobs/delete-jobs.ts') },
    ],
  },
  { name: 'types', summary: 'list the types of jobs, or declare them in TypeScript', load: () => import('./workspace/list-types.ts') },
  {
    name: 'schedules',
    summary: 'list schedules, make them, and act on them',
    defaultCommand: 'list',
    commands: [
      { name: 'list', summary: 'list schedules', load: () => import('./workspace/list-schedules.ts') },
      { name: 'create', summary: 'make a schedule, which creates jobs by a cron expression', load: () => import('./workspace/create-schedule.ts') },
      { name: 'pause', summary: 'let a schedule create no jobs', load: () => import('./workspace/pause-schedule.ts') },
      { name: 'resume', summary: 'let a paused schedule create jobs again', load: () => import('./workspace/pause-schedule.ts') },
      { name: 'trigger', summary: 'create a job of a schedule now', load: () => import('./workspace/trigger-schedule.ts') },
      { name: 'delete', summary: 'delete a schedule; its jobs stay', load: () => import('./workspace/delete-schedule.ts') },
    ],
  },
  {
    name: 'webhooks',
    summary: 'list deliveries of webhooks, send them again, and receive them here',
    defaultCommand: 'list',
    commands: [
      { name: 'list', summary: 'list deliveries', load: () => import('./workspace/list-deliveries.ts') },
      { name: 'redeliver', summary: 'send deliveries again', load: () => import('./workspace/redeliver-webhooks.ts') },
      { name: 'listen', summary: 'receive deliveries here, check their signatures, and print them', load: () => import('./workspace/listen-for-deliveries.ts') },
    ],
  },
  {
    name: 'worker',
    summary: 'make any program a worker',
    commands: [{ name: 'run', summary: 'claim jobs of a type, and run a command for each', load: () => import('./programs/run-worker.ts') }],
  },
  { name: 'workers', summary: 'list the processes that claim jobs', load: () => import('./workspace/list-workers.ts') },
  {
    name: 'keys',
    summary: 'list keys, make them, and revoke them',
    defaultCommand: 'list',
    commands: [
      { name: 'list', summary: 'list the keys of the workspace', load: () => import('./workspace/list-keys.ts') },
      { name: 'create', summary: 'make a key', load: () => import('./workspace/create-key.ts') },
      { name: 'revoke', summary: 'revoke keys', load: () => import('./workspace/revoke-keys.ts') },
    ],
  },
  { name: 'credits', summary: 'show the balance, or what changed it', load: () => import('./workspace/show-credits.ts') },
  { name: 'stats', summary: 'show what waits and runs, and what happened when', load: () => import('./workspace/show-statistics.ts') },
  { name: 'doctor', summary: 'examine the installation that the environment names', load: () => import('./doctor.ts') },
  { name: 'check-ledger', summary: "prove that the books of the server's database add up", load: () => import('./check-ledger.ts') },
  { name: 'migrate', summary: "migrate the server's database, or list what would run", load: () => import('./migrate.ts') },
  { name: 'completion', summary: 'print what makes a shell complete these commands', load: () => import('./completion/print-completion.ts'), needsAll: true },
];
