import { ENVIRONMENTS, environmentsWith, environmentsWithout, traitsOf } from '../values/environment.js';
import { FAKE } from '../values/fake.js';
import { isListed, isLocalHost, isPrivateName, isPublicPattern } from '../values/hosts.js';
import { mailDomainOf } from '../values/mail-address.js';
import { quote } from '../values/quote.js';
import { serviceVariables } from '../variables/schema.js';
import { type ConfigRule, DEPLOYED, EVERYWHERE, violationIf } from './config-rule.js';

/** Whom an environment may reach outside. */
export const outboundRules: readonly ConfigRule[] = [
  {
    title: '`OUTBOUND_HOSTS` set to any value',
    environments: environmentsWithout('mayReachListedHosts'),
    find: ({ environment, texts }) =>
      violationIf(texts.OUTBOUND_HOSTS !== undefined, {
        name: 'OUTBOUND_HOSTS',
        problem: `is set in ${environment}, which reaches no outside host`,
        expected: 'it to be unset',
        fix: 'remove OUTBOUND_HOSTS; replace outside services by fakes (docs/outside-services.md)',
      }),
  },
  {
    title: '`OUTBOUND_HOSTS` with `*`, or a suffix or block that includes public hosts',
    environments: environmentsWithout('mayReachAnyHost'),
    find: ({ environment, values }) =>
      (values.OUTBOUND_HOSTS ?? [])
        .filter((entry) => entry === '*' || isPublicPattern(entry))
        .map((entry) => ({
          name: 'OUTBOUND_HOSTS',
          problem: `holds ${quote(entry, [])} in ${environment}, which includes hosts of other people`,
          expected: 'host names, and suffixes of your own domains such as *.example.com',
          fix: 'list only the hosts that this environment needs',
        })),
  },
  {
    title: '`OUTBOUND_HOSTS` with a host in `PROTECTED_HOSTS`',
    environments: environmentsWithout('mayUseProtectedHosts'),
    find: ({ environment, values }) =>
      (values.OUTBOUND_HOSTS ?? [])
        .filter((entry) => isListed(entry.replace(/^\*\./, ''), values.PROTECTED_HOSTS ?? []))
        .map((entry) => ({
          name: 'OUTBOUND_HOSTS',
          problem: `holds ${quote(entry, [])}, which PROTECTED_HOSTS keeps from ${environment}`,
          expected: `hosts that ${environment} may use`,
          fix: 'remove it from OUTBOUND_HOSTS; do not change PROTECTED_HOSTS',
        })),
  },
  {
    title: '`OUTBOUND_PROXY` set to any value',
    environments: ENVIRONMENTS.filter(
      (environment) => traitsOf(environment).mayReachAnyHost || traitsOf(environment).runsLocally,
    ),
    find: ({ environment, texts }) =>
      violationIf(texts.OUTBOUND_PROXY !== undefined, {
        name: 'OUTBOUND_PROXY',
        problem: `is set in ${environment}, whose connections need no proxy`,
        expected: 'it to be unset',
        fix: 'remove OUTBOUND_PROXY; only networks without a way out have one (docs/outside-services.md)',
      }),
  },
  {
    title: '`OUTBOUND_PROXY` that is not the plain address of a private host',
    environments: EVERYWHERE,
    find: ({ values: { OUTBOUND_PROXY: proxy } }) => {
      const url = proxy === undefined ? undefined : new URL(proxy);
      const isPlain = url?.protocol === 'http:' && url.pathname === '/' && isPrivateName(url.hostname);
      return violationIf(url && !isPlain, {
        name: 'OUTBOUND_PROXY',
        problem: `is ${quote(proxy ?? '', [])}`,
        expected: 'the proxy of this system in its own network, such as http://outbound:3128',
        fix: 'set OUTBOUND_PROXY to the name and port of the program outbound',
      });
    },
  },
  {
    title: '`SMTP_URL` of a server that sends mail',
    environments: environmentsWith('runsLocally'),
    find: ({ environment, values: { SMTP_URL: server } }) =>
      violationIf(server && !server.isCatcher, {
        name: 'SMTP_URL',
        problem: `names a server that sends mail, in ${environment}`,
        expected: 'a mail catcher, such as catcher://127.0.0.1:1025',
        fix: 'set SMTP_URL to a catcher such as Mailpit, or remove it: the log then shows the mail',
      }),
  },
  {
    title: '`SMTP_URL` of a mail catcher',
    environments: environmentsWithout('mayCatchMail'),
    find: ({ environment, values: { SMTP_URL: server } }) =>
      violationIf(server?.isCatcher, {
        name: 'SMTP_URL',
        problem: `names a mail catcher in ${environment}, so no mail would arrive`,
        expected: 'the server that sends your mail',
        fix: 'set SMTP_URL to smtp://user:password@host:587 or smtps://user:password@host:465',
      }),
  },
  {
    title: '`SMTP_URL` of a mail catcher on a public host',
    environments: EVERYWHERE,
    find: ({ values: { SMTP_URL: server } }) =>
      violationIf(server?.isCatcher && !isPrivateName(server.host), {
        name: 'SMTP_URL',
        problem: `names the mail catcher ${server?.host}, which may be a public host`,
        expected: 'a catcher on this machine or in the private network, such as catcher://mailpit:1025',
        fix: 'use the name of the service, without a domain or with one such as .internal',
      }),
  },
  {
    title: '`MAIL_FROM` at localhost with an `SMTP_URL` that sends mail',
    environments: DEPLOYED,
    find: ({ values: { SMTP_URL: server, MAIL_FROM: from } }) =>
      violationIf(server && !server.isCatcher && from !== undefined && isLocalHost(mailDomainOf(from)), {
        name: 'MAIL_FROM',
        problem: 'is an address at localhost, which other servers refuse',
        expected: 'an address at your own domain',
        fix: 'set MAIL_FROM, such as MAIL_FROM=no-reply@example.com',
      }),
  },
  {
    title: 'an outside service without https whose host is not in `PRIVATE_NETWORKS`',
    environments: environmentsWithout('mayLackTls'),
    find: ({ environment, texts, values }) =>
      serviceVariables.flatMap((name) => {
        const url = new URL((values[name] && texts[name]) ?? FAKE);
        const isPlain = url.protocol === 'http:' && !isListed(url.hostname, values.PRIVATE_NETWORKS ?? []);
        return violationIf(isPlain, {
          name,
          problem: `is not https in ${environment}, so others in the network could read and change what is sent`,
          expected: 'the https address of the service',
          fix: `set ${name} to that address, or add its host to PRIVATE_NETWORKS`,
        });
      }),
  },
  {
    title: '`fake:` as the address of an outside service',
    environments: environmentsWithout('mayUseFakes'),
    find: ({ environment, values }) =>
      serviceVariables.flatMap((name) =>
        violationIf(values[name] === FAKE, {
          name,
          problem: `is ${FAKE} in ${environment}, which must use the real service`,
          expected: 'the https address of the service',
          fix: `set ${name} to that address`,
        }),
      ),
  },
];
