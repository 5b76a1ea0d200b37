/** Whose calls somebody may see. */
import type { Administrator } from './administrators.ts'

/** Undefined for all, with any role; else their own. */
export function onlyOf({ id, roles }: Administrator): string | undefined {
  return roles.includes('viewer') ? undefined : id
}
