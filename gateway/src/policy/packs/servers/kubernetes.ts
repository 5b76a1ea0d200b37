/** `mcp-server-kubernetes`, which wraps kubectl and helm. */
import type { ContractPack } from '../pack.ts'
import { actsOutside, changesOwn, each, readsOthers, readsOwn } from './kinds.ts'

const runs = actsOutside('Runs a program in the cluster or fetches one from an address, and shows what it wrote.')

export const kubernetes: ContractPack = {
  name: 'kubernetes',
  version: 1,
  of: 'npm mcp-server-kubernetes',
  contracts: {
    ...each(
      ['ping', 'list_api_resources', 'explain_resource', 'kubectl_context', 'kubectl_reconnect'],
      readsOwn('The cluster’s own shape.'),
    ),
    ...each(
      ['kubectl_get', 'kubectl_describe'],
      readsOthers('Objects, events and end messages hold what every workload and its author wrote, and secrets of theirs.'),
    ),
    kubectl_logs: readsOthers('Logs hold what visitors of the application sent.'),
    ...each(
      ['kubectl_apply', 'kubectl_create', 'kubectl_delete', 'kubectl_patch', 'kubectl_scale', 'kubectl_rollout', 'node_management'],
      actsOutside('Changes what runs in the cluster, which can reach out from there: only from a session that has read nothing untrusted.'),
    ),
    ...each(['install_helm_chart', 'upgrade_helm_chart', 'uninstall_helm_chart', 'exec_in_pod', 'kubectl_generic'], runs),
    ...each(
      ['port_forward', 'stop_port_forward', 'cleanup'],
      changesOwn('Opens or closes ways into the cluster at the machine of the server.'),
    ),
  },
}
