/** `${NAME}` and `${file:path}` in an argument of a verb, so that a secret need not stand on a command line. */
import { readFile } from 'node:fs/promises'
import { parseReferences, type Part } from '../config/references-in-text.ts'
import { TurnwardError } from '../core/error.ts'

/** The text with every reference replaced, as in the configuration. Throws `request.invalid`, which quotes no value. */
export async function resolveText(argument: string, text: string): Promise<string> {
  const parts = parseReferences(text)
  if ('problem' in parts) throw new TurnwardError('request.invalid', { subject: argument, why: parts.problem })
  let result = ''
  for (const part of parts) result += await valueOf(argument, part)
  return result
}

async function valueOf(argument: string, part: Part): Promise<string> {
  if (typeof part === 'string') return part
  if ('file' in part) {
    try {
      return (await readFile(part.file, 'utf8')).replace(/\r?\n$/, '')
    } catch (cause) {
      throw new TurnwardError('request.invalid', { subject: argument, why: `the file \`${part.file}\` cannot be read`, cause })
    }
  }
  const value = process.env[part.name]
  if (value !== undefined && (value !== '' || part.fallback === undefined)) return value
  if (part.fallback === undefined)
    throw new TurnwardError('request.invalid', { subject: argument, why: `the environment variable \`${part.name}\` is not set` })
  let result = ''
  for (const one of part.fallback) result += await valueOf(argument, one)
  return result
}
