/** Schemas of what is kept for callers whole: files they have uploaded, and batches of calls that run while nobody waits. */
import { z } from 'zod'

const mebibyte = 1024 * 1024
const dayMs = 24 * 3600 * 1000

/** Files, kept here instead of with a vendor. */
export const filesSchema = z.strictObject({
  /** `false`: nothing is kept here; files and batches are refused by name, and ids of files go on to the upstream as they are. */
  keep: z.boolean().default(true),
  /** How long a file is kept, and what came of a batch. */
  ttl_ms: z
    .number()
    .int()
    .min(3_600_000)
    .max(365 * dayMs)
    .default(30 * dayMs),
  /** The largest file, in bytes. */
  max_bytes: z
    .number()
    .int()
    .min(1024)
    .max(512 * mebibyte)
    .default(64 * mebibyte),
  /** How much is kept for one caller, in files and in bytes; more is refused. */
  max_kept: z.number().int().min(1).max(100_000).default(1000),
  max_kept_bytes: z
    .number()
    .int()
    .min(1024)
    .max(1024 * 1024 * mebibyte)
    .default(1024 * mebibyte),
})

/** Batches, each line of which is a call. */
export const batchesSchema = z.strictObject({
  /** Batches of one caller that have not ended; 0: none may be made. */
  max_open: z.number().int().min(0).max(10_000).default(16),
  /** Batches of one caller that are known, ended or not; more are refused. */
  max_kept: z.number().int().min(1).max(100_000).default(1000),
  /** Lines of one batch. */
  max_lines: z.number().int().min(1).max(100_000).default(50_000),
  /** Lines that one process has under way at a time. */
  at_once: z.number().int().min(1).max(1000).default(8),
  /** After this time lines that have not run never will. */
  window_ms: z
    .number()
    .int()
    .min(1000)
    .max(7 * dayMs)
    .default(dayMs),
})
