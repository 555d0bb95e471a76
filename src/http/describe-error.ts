import { errorTable, LonghaulError } from '../errors.ts';

/** What is told of an error before a surface has seen the request, and outside the dialects. */
export function describeError(error: unknown): { status: number; code: string; message: string } {
  if (error instanceof LonghaulError) return { status: error.httpStatus, code: error.code, message: error.message };
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status === errorTable.PAYLOAD_TOO_LARGE.httpStatus) {
    return { status, code: 'PAYLOAD_TOO_LARGE', message: 'The body is too large. Send less, or in several requests.' };
  }
  if (status === 415) {
    return { status, code: 'BAD_USER_INPUT', message: 'Send JSON, with `Content-Type: application/json`.' };
  }
  if (status < 500 && error instanceof Error) return { status, code: 'BAD_USER_INPUT', message: error.message };
  return { status: 500, code: 'INTERNAL', message: 'Something went wrong on our side. Try again.' };
}
