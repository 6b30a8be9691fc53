'use strict';

// Layouts of PEM files, as other programs and people write them.

/** Splits a PEM into its BEGIN line, its base64 without line ends, and its END line. */
function parts(pem) {
  const lines = pem.trimEnd().split('\n');
  return { begin: lines[0], body: lines.slice(1, -1).join(''), end: lines.at(-1) };
}

const chunks = (body, length) => body.match(new RegExp(`.{1,${length}}`, 'g'));

/** Writes the body in lines of this length. */
const wrapped = (length, newline = '\n', each = (line) => line) => (pem) => {
  const { begin, body, end } = parts(pem);
  return [begin, ...chunks(body, length).map(each), end, ''].join(newline);
};

/** Writes the body with `between` after every seventh character. */
const spaced = (between) => (pem) => {
  const { begin, body, end } = parts(pem);
  return [begin, chunks(body, 7).join(between), end, ''].join('\n');
};

const lines = (change) => (pem) => change(pem.trimEnd().split('\n'));
const around = (before, after) => (pem) => `${before}${pem}${after}`;
const headed = (headers) => (pem) => pem.replace('\n', `\n${headers}\n`);
const relabelled = (label) => (pem) => pem.replaceAll(/(BEGIN|END) [A-Z ]+/g, `$1 ${label}`);

const EC_PARAMETERS =
  '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const DH_PARAMETERS = EC_PARAMETERS.replaceAll('EC', 'DH');

/**
 * Maps the name of a layout to a function from the PEM that Node writes to one in this layout.
 * `certificate` and `other` are PEM files with a certificate and another key.
 */
const layouts = ({ certificate, other }) => ({
  'as Node writes it': around('', ''),
  'CRLF': wrapped(64, '\r\n'),
  'CR': wrapped(64, '\r'),
  'CR CR LF': wrapped(64, '\r\r\n'),
  'LF and CRLF mixed': (pem) => pem.replace('\n', '\r\n'),
  'no final line end': (pem) => pem.trimEnd(),
  'two final line ends': around('', '\n'),
  'many final line ends': around('', '\r\n\r\n\n\n'),
  'a NUL at the end': around('', '\0'),
  'blank lines before': around('\n\r\n  \n', ''),
  'text before': around('Bag Attributes\n    friendlyName: key\nKey Attributes: <none>\n', ''),
  'text with dashes before': around('-----\n--- a key ---\n', ''),
  'a long line before': around(`${'x'.repeat(5000)}\n`, ''),
  'a mention of the boundary before': around('see -----BEGIN PRIVATE KEY----- below\n', ''),
  'a mention at the start of a line': around('-----BEGIN PRIVATE KEY----- begins it\n', ''),
  'text after': around('', 'a comment\n'),
  'base64 after': around('', 'AAAA\n'),
  'a byte order mark': around('\ufeff', ''),
  'lines of 1': wrapped(1),
  'lines of 4': wrapped(4),
  'lines of 5': wrapped(5),
  'lines of 63': wrapped(63),
  'lines of 65': wrapped(65),
  'lines of 76': wrapped(76),
  'lines of 253': wrapped(253),
  'lines of 256': wrapped(256),
  'lines of 1000': wrapped(1000),
  'the body in one line': wrapped(100_000),
  'one line': lines((all) => all.join('')),
  'one line with spaces': lines((all) => all.join(' ')),
  'spaces in the body': spaced(' '),
  'tabs in the body': spaced('\t'),
  'vertical tabs in the body': spaced('\v'),
  'form feeds in the body': spaced('\f'),
  'the body indented': wrapped(64, '\n', (line) => `  \t${line}`),
  'all indented': lines((all) => all.map((line) => `    ${line}\n`).join('')),
  'spaces at the ends of lines': lines((all) => all.map((line) => `${line}  \n`).join('')),
  'tabs at the ends of lines': lines((all) => all.map((line) => `${line}\t\r\n`).join('')),
  'control characters at the ends of lines': lines((all) => all.map((line) => `${line}\x01\n`).join('')),
  'NUL at the ends of lines': lines((all) => all.map((line) => `${line}\0\n`).join('')),
  'a blank line after BEGIN': (pem) => pem.replace('\n', '\n\n'),
  'a blank line before END': (pem) => pem.replace('\n-----END', '\n\n-----END'),
  'blank lines between all lines': lines((all) => all.join('\n\n')),
  'text after BEGIN': (pem) => pem.replace('-----\n', '----- !\n'),
  'text after END': (pem) => `${pem.trimEnd()} !\n`,
  'six dashes at the end': (pem) => `${pem.trimEnd()}-\n`,
  'four dashes at the start': (pem) => pem.slice(1),
  'a dash after the body': (pem) => pem.replace('\n-----END', '-\n-----END'),
  'text after a dash in the body': (pem) => pem.replace('\n-----END', '-AAAA\n-----END'),
  'without padding': (pem) => pem.replaceAll('=', ''),
  'base64url': (pem) => {
    const { begin, body, end } = parts(pem);
    return [begin, body.replaceAll('+', '-').replaceAll('/', '_'), end, ''].join('\n');
  },
  'a short header': headed('a: b\n'),
  'a header': headed('Comment: a key\n'),
  'a header about encryption': headed('Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n'),
  'the two characters \\n': (pem) => pem.replaceAll('\n', '\\n'),
  'the four characters \\r\\n': (pem) => pem.replaceAll('\n', '\\r\\n'),
  'in quotes': (pem) => JSON.stringify(pem),
  'lower case': (pem) => pem.replaceAll(/(BEGIN|END) [A-Z ]+/g, (line) => line.toLowerCase()),
  'no END': (pem) => pem.slice(0, pem.indexOf('-----END')),
  'END of another label': (pem) => pem.replace('-----END', '-----END RSA'),
  'the label of PKCS#8': relabelled('PRIVATE KEY'),
  'the label of SEC 1': relabelled('EC PRIVATE KEY'),
  'the label of PKCS#1': relabelled('RSA PRIVATE KEY'),
  'the label of SPKI': relabelled('PUBLIC KEY'),
  'the label of a public PKCS#1': relabelled('RSA PUBLIC KEY'),
  'any label': relabelled('ANY PRIVATE KEY'),
  'EC PARAMETERS before': around(EC_PARAMETERS, ''),
  'EC PARAMETERS after': around('', EC_PARAMETERS),
  'DH PARAMETERS before': around(DH_PARAMETERS, ''),
  'a certificate before': around(certificate, ''),
  'a certificate after': around('', certificate),
  'two certificates around': around(certificate, certificate),
  'a request after': around('', relabelled('CERTIFICATE REQUEST')(certificate)),
  'a cut section before': around('-----BEGIN CERTIFICATE-----\nAAAA\n', ''),
  'the same key twice': (pem) => pem + pem,
  'another key before': around(other, ''),
  'another key after': around('', other),
});

module.exports = { layouts };
