import { z } from 'zod';
import { maxIssues } from '../../input.ts';
import type { JsonObject } from '../../json.ts';
import { type Report, readJobType } from '../../jobs/types/file.ts';
import type { JobType, ParsedInput } from '../../jobs/types/job-type.ts';
import { linearPattern } from '../../jobs/types/linear-pattern.ts';
import { readMarks, sourceKeyword } from '../../jobs/types/marks.ts';
import { issuesOf, type OwnHandler, type StandardSchema } from './own-handler.ts';

/** The type that a handler registers: its terms as in JOB_TYPES, its schemas for clients. Null if it has faults, which are reported. */
export function ownJobType(handler: OwnHandler, report: Report): JobType | null {
  const { type: name, credits = 1, timeoutSeconds, maxAttempts, leaseSeconds, inputSchema, input, output } = handler;
  const given = Object.entries({ name, credits, timeoutSeconds, maxAttempts, leaseSeconds, inputSchema }).filter(([, value]) => value !== undefined);
  const type = readJobType(Object.fromEntries(given), report);
  if (type === null) return null;
  const shown = input === undefined || inputSchema !== undefined ? type.inputSchema : published(input, report);
  if (shown === null) return null;
  const outputSchema = output instanceof z.core.$ZodType ? jsonSchema(output, 'output') : undefined;
  return { ...type, inputSchema: shown, outputSchema, parseInput: (value) => parseInput(type, input, value) };
}

/** A schema's input, for clients. */
function published(schema: StandardSchema, report: Report): JsonObject | null {
  if (!(schema instanceof z.core.$ZodType)) {
    report({ path: ['inputSchema'], message: `is required beside an input of ${schema['~standard'].vendor}: the JSON Schema of the same. Only zod 4's are made from the input` });
    return null;
  }
  try {
    const made = jsonSchema(schema, 'input');
    if ('type' in made && made['type'] !== 'object') throw new Error('the input of a job is an object');
    // Each job's uploads are found by it, and what is hidden.
    readMarks(made, {}, sourceKeyword);
    return made;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report({ path: ['input'], message: `cannot be published as a JSON Schema: ${reason}. Change it, or give an inputSchema beside it` });
    return null;
  }
}

function jsonSchema(schema: z.core.$ZodType, io: 'input' | 'output'): JsonObject {
  const made = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    // zod itself checks them; where they cannot run in linear time, they are not for clients either.
    override: ({ jsonSchema: part }) => {
      if (part.pattern !== undefined && !isLinear(part.pattern)) delete part.pattern;
    },
  });
  // The round trip through JSON drops the functions that zod attaches to the schema object.
  return JSON.parse(JSON.stringify(made));
}

function isLinear(pattern: string): boolean {
  try {
    linearPattern(pattern);
    return true;
  } catch {
    return false;
  }
}

/** What a schema can only check by waiting is checked when the job runs. */
function parseInput(type: JobType, schema: StandardSchema | undefined, input: unknown): ParsedInput {
  const parsed = type.parseInput(input);
  if (!parsed.ok || schema === undefined) return parsed;
  const checked = schema['~standard'].validate(input);
  if (checked instanceof Promise) {
    checked.catch(() => undefined);
    return parsed;
  }
  return checked.issues === undefined ? parsed : { ok: false, issues: issuesOf(checked).slice(0, maxIssues) };
}
