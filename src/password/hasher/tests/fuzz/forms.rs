//! The forms of digests, each with costs of its own choice.

use base64ct::{Base64, Base64Unpadded, Encoding};

use super::Costs;
use crate::testing::random::Random;

/// Makes a whole digest, and says which costs it asks for.
pub(super) type Form = fn(&mut Random) -> (String, Costs);

/// The forms whose texts state their costs, and after them those that have one set of costs.
pub(super) const FORMS: [Form; 18] = [
    argon2,
    bcrypt,
    bcrypt_of_passlib,
    scrypt,
    scrypt_of_n,
    scrypt_of_django,
    scrypt_of_werkzeug,
    scrypt_of_spring,
    pbkdf2,
    pbkdf2_of_passlib,
    pbkdf2_of_django,
    pbkdf2_of_werkzeug,
    pbkdf2_of_dovecot,
    pbkdf2_of_asp_net,
    scrypt_of_better_auth,
    pbkdf2_of_asp_net_2,
    pbkdf2_of_spring,
    hmac_of_werkzeug,
];

/// How many forms state their costs.
pub(super) const STATING: usize = 14;

/// Names of hash functions with the bytes of their output.
const FUNCTIONS: [(&str, u32); 3] = [("sha1", 20), ("sha256", 32), ("sha512", 64)];

/// A digest of any form.
pub(super) fn any(random: &mut Random) -> String {
    random.pick(&FORMS)(random).0
}

fn argon2(random: &mut Random) -> (String, Costs) {
    let wrap = random.pick(&["", "argon2", "{argon2}", "{ARGON2ID}"]);
    let p = random.pick(&[1, 2, 3, 255, (1 << 24) - 1]);
    let m = random.pick(&[8 * p, 8 * p + 9, 96.max(8 * p), 128.max(8 * p), u32::MAX]);
    let t = random.pick(&[1, 2, 3, u32::MAX]);
    let name = random.pick(&["argon2id", "argon2i", "argon2d"]);
    let (salt, tag) = (base64(random, 8, false), base64(random, 32, false));
    (format!("{wrap}${name}$v=19$m={m},t={t},p={p}${salt}${tag}"), Costs::Argon2 { m, t, p })
}

fn bcrypt(random: &mut Random) -> (String, Costs) {
    let wrap =
        random.pick(&["", "bcrypt$", "bcrypt_sha256$", "{bcrypt}", "{BLF-CRYPT}", "{CRYPT}"]);
    let (variant, cost) = (random.pick(&["2a", "2b", "2x", "2y"]), bcrypt_cost(random));
    let text: String = (0..53).map(|_| bcrypt_char(random)).collect();
    (format!("{wrap}${variant}${cost:02}${text}"), Costs::Bcrypt { cost })
}

fn bcrypt_of_passlib(random: &mut Random) -> (String, Costs) {
    let cost = bcrypt_cost(random);
    let settings = random.pick(&["v=2,t=2b,r=", "2a,", "2b,"]);
    let [salt, tag] = [22, 31].map(|len| (0..len).map(|_| bcrypt_char(random)).collect::<String>());
    (format!("$bcrypt-sha256${settings}{cost}${salt}${tag}"), Costs::Bcrypt { cost })
}

fn bcrypt_cost(random: &mut Random) -> u32 {
    random.pick(&[4, 4, 5, 16, 31])
}

fn bcrypt_char(random: &mut Random) -> char {
    let alphabet = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    char::from(random.pick(alphabet))
}

fn scrypt(random: &mut Random) -> (String, Costs) {
    let log_n = random.pick(&[1, 4, 5, 9, 10, 31, 63]);
    let [r, p] = [(); 2].map(|()| random.pick(&[1, 2, 16, 64, 256, 1 << 20, u32::MAX]));
    let text = format!("$scrypt$ln={log_n},r={r},p={p}${}", salt_and_tag(random));
    (text, Costs::Scrypt { log_n, r, p })
}

/// log₂ N, r and p, where N itself is written.
fn scrypt_costs(random: &mut Random) -> (u32, u32, u32) {
    let log_n = random.pick(&[1, 3, 6, 9, 10, 31]);
    (log_n, random.pick(&[1, 8, 64, u32::MAX]), random.pick(&[1, 2, 8, u32::MAX]))
}

fn scrypt_of_n(random: &mut Random) -> (String, Costs) {
    let (log_n, r, p) = scrypt_costs(random);
    let (name, n) = (random.pick(&["n", "N"]), 1_u32 << log_n);
    let text = format!("$scrypt${name}={n},r={r},p={p}${}", salt_and_tag(random));
    (text, Costs::Scrypt { log_n, r, p })
}

fn scrypt_of_django(random: &mut Random) -> (String, Costs) {
    let (log_n, r, p) = scrypt_costs(random);
    let tag = base64(random, 64, true);
    (format!("scrypt${}$seasalt${r}${p}${tag}", 1_u32 << log_n), Costs::Scrypt { log_n, r, p })
}

fn scrypt_of_werkzeug(random: &mut Random) -> (String, Costs) {
    let (log_n, r, p) = scrypt_costs(random);
    let tag = hex(random, 64);
    (format!("scrypt:{}:{r}:{p}$salt${tag}", 1_u32 << log_n), Costs::Scrypt { log_n, r, p })
}

fn scrypt_of_spring(random: &mut Random) -> (String, Costs) {
    let log_n = random.pick(&[1, 4, 9, 10, 32, 63]);
    let [r, p] = [(); 2].map(|()| random.pick(&[1, 2, 8, 255]));
    let (salt, tag) = (base64(random, 16, true), base64(random, 32, true));
    let id = random.pick(&["scrypt", "scrypt@SpringSecurity_v5_8"]);
    let costs = log_n << 16 | r << 8 | p;
    (format!("{{{id}}}${costs:x}${salt}${tag}"), Costs::Scrypt { log_n, r, p })
}

fn scrypt_of_better_auth(random: &mut Random) -> (String, Costs) {
    let (salt, tag) = (hex(random, 16), hex(random, 64));
    (format!("{salt}:{tag}"), Costs::Scrypt { log_n: 14, r: 16, p: 1 })
}

fn pbkdf2(random: &mut Random) -> (String, Costs) {
    let (function, tag_len, costs) = pbkdf2_costs(random);
    let Costs::Pbkdf2 { iterations, .. } = costs else { unreachable!() };
    let (salt, tag) = (base64(random, 8, false), base64(random, tag_len, false));
    let length = if random.below(2) == 0 { String::new() } else { format!(",l={tag_len}") };
    (format!("$pbkdf2-{function}$i={iterations}{length}${salt}${tag}"), costs)
}

fn pbkdf2_of_passlib(random: &mut Random) -> (String, Costs) {
    let (function, tag_len, costs) = pbkdf2_costs(random);
    let Costs::Pbkdf2 { iterations, .. } = costs else { unreachable!() };
    let (salt, tag) = (base64(random, 16, false), base64(random, tag_len, false));
    let text = format!("$pbkdf2-{function}${iterations}${salt}${tag}");
    (text.replace('+', "."), costs)
}

fn pbkdf2_of_django(random: &mut Random) -> (String, Costs) {
    let (function, output) = random.pick(&FUNCTIONS[..2]);
    let (tag_len, costs) = pbkdf2_costs_of(output, random);
    let Costs::Pbkdf2 { iterations, .. } = costs else { unreachable!() };
    (format!("pbkdf2_{function}${iterations}$seasalt${}", base64(random, tag_len, true)), costs)
}

fn pbkdf2_of_werkzeug(random: &mut Random) -> (String, Costs) {
    let (function, tag_len, costs) = pbkdf2_costs(random);
    let Costs::Pbkdf2 { iterations, .. } = costs else { unreachable!() };
    (format!("pbkdf2:{function}:{iterations}$salt${}", hex(random, tag_len)), costs)
}

fn pbkdf2_of_dovecot(random: &mut Random) -> (String, Costs) {
    let (tag_len, costs) = pbkdf2_costs_of(20, random);
    let Costs::Pbkdf2 { iterations, .. } = costs else { unreachable!() };
    (format!("{{PBKDF2}}$1$salt${iterations}${}", hex(random, tag_len)), costs)
}

fn pbkdf2_of_asp_net(random: &mut Random) -> (String, Costs) {
    let function = random.below(3);
    let (tag_len, costs) = pbkdf2_costs_of(FUNCTIONS[function].1, random);
    let Costs::Pbkdf2 { iterations, .. } = costs else { unreachable!() };
    let salt_len = random.pick(&[8_u32, 16]);
    let mut bytes = vec![1];
    for number in [u32::try_from(function).unwrap(), iterations, salt_len] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(self::bytes(random, salt_len));
    bytes.extend(self::bytes(random, tag_len));
    (Base64::encode_string(&bytes), costs)
}

fn pbkdf2_of_asp_net_2(random: &mut Random) -> (String, Costs) {
    let mut bytes = vec![0];
    bytes.extend(self::bytes(random, 48));
    (Base64::encode_string(&bytes), Costs::Pbkdf2 { iterations: 1000, blocks: 2 })
}

fn pbkdf2_of_spring(random: &mut Random) -> (String, Costs) {
    let (id, salt_len, iterations, blocks) =
        random.pick(&[("pbkdf2", 8, 185_000, 2), ("pbkdf2@SpringSecurity_v5_8", 16, 310_000, 1)]);
    (format!("{{{id}}}{}", hex(random, salt_len + 32)), Costs::Pbkdf2 { iterations, blocks })
}

fn hmac_of_werkzeug(random: &mut Random) -> (String, Costs) {
    let (function, output) = random.pick(&FUNCTIONS);
    (format!("{function}$salt${}", hex(random, output)), Costs::Nothing)
}

/// A hash function, the bytes of the tag, and the costs.
fn pbkdf2_costs(random: &mut Random) -> (&'static str, u32, Costs) {
    let (function, output) = random.pick(&FUNCTIONS);
    let (tag_len, costs) = pbkdf2_costs_of(output, random);
    (function, tag_len, costs)
}

fn pbkdf2_costs_of(output: u32, random: &mut Random) -> (u32, Costs) {
    let tag_len = random.pick(&[16, 20, 21, 32, 33, 64, 65]);
    let iterations = random.pick(&[1, 10, 13, 14, 20, 21, 40, 41, 1000, u32::MAX]);
    (tag_len, Costs::Pbkdf2 { iterations, blocks: tag_len.div_ceil(output) })
}

/// As PHC strings write them.
fn salt_and_tag(random: &mut Random) -> String {
    format!("{}${}", base64(random, 8, false), base64(random, 32, false))
}

fn base64(random: &mut Random, len: u32, is_padded: bool) -> String {
    let bytes = bytes(random, len);
    if is_padded { Base64::encode_string(&bytes) } else { Base64Unpadded::encode_string(&bytes) }
}

fn hex(random: &mut Random, len: u32) -> String {
    base16ct::lower::encode_string(&bytes(random, len))
}

fn bytes(random: &mut Random, len: u32) -> Vec<u8> {
    (0..len).map(|_| u8::try_from(random.below(256)).unwrap()).collect()
}
