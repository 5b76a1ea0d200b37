/** Do objects that were made over the API go with the configuration file? */
import type { ManagedFacts } from '../../config/snapshot.ts'
import type { Finding } from './finding.ts'

/** Nothing where nothing was ever made. */
export function managedFindings({ revision, leftOut, holdsCalls }: ManagedFacts): readonly Finding[] {
  if (revision === 0) return []
  const check = 'objects made over the API'
  if (leftOut.length === 0) return [{ check, level: 'ok', detail: `revision ${revision}` }]
  const what = `a gateway that is started now leaves out ${leftOut.join(', ')}, which do not go with the file`
  return [
    {
      check,
      level: holdsCalls ? 'problem' : 'warning',
      detail: holdsCalls ? `${what}, and takes no calls` : what,
      fix: 'Change the file, or the objects with `turnward config`; see docs/managed-configuration.md.',
    },
  ]
}
