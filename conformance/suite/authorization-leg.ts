/** The authorization leg: the suite is an application of a person, and the authorization server it checks is that of this gateway. */
import { freePort } from '../../scripts/services/free-port.ts'
import { startSignInPlace } from '../callers/sign-in-place.ts'
import { ScriptedBrowser } from '../harness/scripted-browser.ts'
import { checkAuthorizationServer, type Ran, type Revision } from './suite.ts'

/** A person signs in at the provider of their company and allows the suite what it asks. */
export async function ranAgainstAuthorizationServer(revision: Revision): Promise<Ran> {
  const id = 'suite'
  await using place = await startSignInPlace({ oauth: { clients: { [id]: { redirect_uris: ['http://127.0.0.1/callback'] } } } })
  place.idp.signsIn('alice')
  const client = { id, port: await freePort(), resource: `${place.url}/mcp/main` }
  return await checkAuthorizationServer(place.url, client, revision, async (address) => {
    const browser = new ScriptedBrowser()
    await browser.open(address)
    await browser.send('Allow', { decision: 'allow' })
  })
}
