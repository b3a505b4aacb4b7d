/**
 * The calls of Docker's Engine API (v1.51), for specs about permitted calls. `ID` stands for a name or an id.
 * Source: docs.docker.com/reference/api/engine/version/v1.51
 */
const groups = {
  GET: `
    /containers/json /containers/ID/json /containers/ID/top /containers/ID/logs /containers/ID/changes
    /containers/ID/export /containers/ID/stats /containers/ID/attach/ws /containers/ID/archive
    /images/json /images/ID/json /images/ID/history /images/search /images/ID/get /images/get
    /info /version /_ping /events /system/df /exec/ID/json /volumes /volumes/ID /networks /networks/ID
    /plugins /plugins/ID/json /plugins/privileges /nodes /nodes/ID /swarm /swarm/unlockkey
    /services /services/ID /services/ID/logs /tasks /tasks/ID /tasks/ID/logs
    /secrets /secrets/ID /configs /configs/ID /distribution/ID/json`,
  HEAD: '/_ping /containers/ID/archive',
  POST: `
    /containers/create /containers/ID/start /containers/ID/stop /containers/ID/restart /containers/ID/kill
    /containers/ID/update /containers/ID/rename /containers/ID/pause /containers/ID/unpause /containers/ID/attach
    /containers/ID/wait /containers/ID/resize /containers/ID/exec /containers/prune /exec/ID/start /exec/ID/resize
    /images/create /images/ID/push /images/ID/tag /images/prune /images/load /build /build/prune /commit /auth /session
    /grpc /volumes/create /volumes/prune /networks/create /networks/ID/connect /networks/ID/disconnect /networks/prune
    /plugins/pull /plugins/create /plugins/ID/enable /plugins/ID/disable /plugins/ID/upgrade /plugins/ID/push
    /plugins/ID/set /nodes/ID/update /swarm/init /swarm/join /swarm/leave /swarm/update /swarm/unlock
    /services/create /services/ID/update /secrets/create /secrets/ID/update /configs/create /configs/ID/update`,
  PUT: '/containers/ID/archive /volumes/ID',
  DELETE: `
    /containers/ID /images/ID /volumes/ID /networks/ID /plugins/ID /nodes/ID /services/ID /secrets/ID /configs/ID`,
};

export interface ApiCall {
  readonly method: string;
  readonly path: string;
}

export const dockerApi: readonly ApiCall[] = Object.entries(groups).flatMap(([method, paths]) =>
  paths
    .trim()
    .split(/\s+/)
    .map((path) => ({ method, path })),
);
