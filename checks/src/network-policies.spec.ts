import { describe, expect, it } from '@jest/globals';
import { PROGRAMS } from '@airlock/config';
import { parse, parseAllDocuments } from 'yaml';
import { listFiles, readText } from './repository.js';

const FOLDER = 'docker/deploy/alibaba';
const PROXY = 'airlock-outbound';

interface Policy {
  readonly spec: {
    readonly podSelector: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly policyTypes: readonly string[];
    readonly egress: readonly { readonly to?: readonly { readonly ipBlock?: { readonly cidr: string } }[] }[];
  };
}

const [everyPod, proxy, ...others] = parseAllDocuments(readText(`${FOLDER}/network-policy.yaml`)).map(
  (document) => document.toJS() as Policy,
);

describe('the policies of Kubernetes', () => {
  it('deny each pod of the namespace the way out, also one of a program that is added', () => {
    expect(everyPod?.spec).toMatchObject({ podSelector: {}, policyTypes: ['Egress'] });
    expect(Object.keys(everyPod?.spec.podSelector ?? { none: true })).toEqual([]);
    for (const { to = [] } of everyPod?.spec.egress ?? []) {
      expect(to.length).toBeGreaterThan(0);
      for (const { ipBlock, ...selectors } of to) {
        expect(ipBlock ?? Object.keys(selectors).length > 0).toBeTruthy();
        // The example is a block for documents.
        if (ipBlock) expect(ipBlock.cidr).toBe('192.0.2.0/24');
      }
    }
  });

  it('give it to the proxy, and to no other pod', () => {
    expect(others).toEqual([]);
    expect(proxy?.spec).toEqual({
      podSelector: { matchLabels: { app: PROXY } },
      policyTypes: ['Egress'],
      egress: [{}],
    });
    const manifests = listFiles(/^docker\/deploy\/alibaba\/(?!network-policy).*\.yaml$/);
    const labelled = manifests.filter((path) => readText(path).includes(`labels: { app: ${PROXY} }`));
    expect(manifests.length).toBeGreaterThan(4);
    expect(labelled).toEqual([`${FOLDER}/outbound.yaml`]);
  });

  it('start the proxy as the table of programs does', () => {
    const [service = '', deployment = ''] = readText(`${FOLDER}/outbound.yaml`).split('\n---\n');
    const { command, ports } = PROGRAMS.outbound;
    expect(parse(service)).toMatchObject({ spec: { selector: { app: PROXY }, ports: [{ port: ports.service }] } });
    expect(parse(deployment)).toMatchObject({
      spec: { template: { spec: { containers: [{ command, ports: [{ containerPort: ports.service }] }] } } },
    });
  });
});
