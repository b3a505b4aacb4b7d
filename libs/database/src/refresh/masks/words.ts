/**
 * Words of @faker-js/faker 10.6.0, locale en (MIT licence, Copyright (c) 2022-2025 Faker). They are frozen here: another list
 * would give every person another pseudonym, and no image needs the package. The length of each list is a power of two.
 */
export const FIRST_NAMES = split(`
  Aaliyah Abagail Abbigail Abdul Abel Abigale Abraham Adalberto Adan Adela Adelia Adelle Adolfo Adonis Adriana
  Adrienne Agnes Agustina Aida Aileen Aiyana Alan Alanna Albert Alberto Albina Alec Alejandro Alene Alessia
  Alexa Alexandre Alexandro Alexanne Alfonso Alfred Alia Alisa Alivia Aliza Allen Allie Alma Alta Alvah Alverta
  Alyce Alysha Alysson Amanda Amber Amelie Americo Amir Amos Amya Anabelle Anais Anderson Andreane Andrew
  Angelica Angelita Angus Anissa Aniya Ann Annabell Annamae Annetta Ansel Antoinette Antonette Antonietta Antwan
  April Arch Ardella Ariane Arielle Arlo Armando Arno Arnulfo Arthur Arvid Asha Ashley Ashtyn Assunta Aubree
  Audrey Augustus Aurelio Austin Avis Ayden Aylin Barney Barry Barton Beau Belinda Ben Bennett Benny Bernadette
  Bernardo Bernice Bernita Bertha Beryl Bethany Bette Bettye Bianka Billy Blake Blaze Bobby Boris Brad Bradley
  Braeden Brando Brandy Branson Braxton Breanna Brendan Brendon Brennon Brett Briana Bridget Brielle Brisa Brock
  Brody Brooks Bryana Brycen Bud Bulah Byron Caesar Cale Calista Camden Camilla Camron Candace Candida Carissa
  Carla Carley Carlo Carlton Carmella Carmine Carole Carolyn Carrie Casandra Casper Cassidy Caterina Cathrine
  Cayla Cecil Cecilia Celestine Celine Chadd Chance Charity Charlie Chasity Chaya Chelsey Chester Cheyenne
  Christ Christian Christina Christophe Chyna Cielo Citlalli Clarabelle Clarissa Claude Clay Clement Clementine
  Cletus Clifford Clinton Cloyd Cody Coleman Collin Colten Concepcion Connor Constance Cooper Corbin Cordia
  Corine Cornell Cortney Coy Creola Cristina Crystal Curt Cynthia Cyrus Daija Dale Damaris Damien Dan Dane
  Daniel Daniella Danny Daphne Daren Darin Darius Darnell Darrell Darrick Darron Daryl Dave Davion Dawn Dayana
  Dayton Deangelo Deborah Dedric Deja Dejuan Delfina Della Delpha Delphine Demario Dena Dennis Deontae Derek
  Derrick Desiree Destany Destinee Destiny Devin Dewey Diamond Dianna Dillan Dina Dion Dolly Domenica Domingo
  Don Donavon Donnie Dorcas Doris Dorris Doug Doyle Duane Duncan Dwayne Earl Earline Easter Ebony Eddie Edison
  Edmund Edward Edwina Edythe Efren Eino Elaine Eldon Eldridge Eleanore Elena Elenora Eli Elias Elinor Elisabeth
  Elissa Ella Elliot Ellis Elmira Elna Eloisa Eloy Else Elton Elvie Elvis Elyse Emanuel Emely Emie Emilia Emilio
  Emmalee Emmet Emmitt Enid Enos Ephraim Eric Erick Erika Erling Ernest Ernesto Erwin Esperanza Esteban Estella
  Esther Etha Ethelyn Eudora Eula Euna Eva Evangeline Eveline Everardo Evert Ewell Ezra Fae Fanny Fausto Faye
  Felicia Felipa Felton Fernando Filiberto Fiona Fleta Flora Florencio Flossie Forest Frances Francisca Frank
  Fred Freddy Frederick Fredrick Freeman Frieda Furman Gabriella Gage Garett Garland Garrick Garth Gavin General
  Genevieve Geo Georgette Georgianna Geovanny Geraldine Gerda Gerry Gia Gilbert Giles Ginger Giovani Giovanny
  Gladyce Glenda Glennie Golda Grace Grady Grant Grayson Gregg Gregory Greyson Gudrun Guiseppe Gus Gust Guy
  Hailee Hal Halie Hank Hans Harmony Harriet Harvey Hattie Hayley Heath Heber Helen Helga Helmer Henri Henry
  Hermann Herminio Hertha Hilario Hildegard Hillary Hipolito Holden Homer Horacio Houston Hoyt Hugh Hulda Hyman
  Icie Idella Ike Iliana Imelda Ines Irene Irvin Isaac Isabella Isadore Isaias Isobel Issac Iva Ivy Jabari
  Jacinthe Jackeline Jackson Jacqueline Jacynthe Jade Jailyn Jakayla Jaleel Jamaal Jamarcus Jameson Jamison
  Janae Janessa Janick Janiya Jaquan Jared Jaron Jarret Jarrod Jasmin Jasper Javon Jayce Jayden Jaylon Jazlyn
  Jazmyn Jeanette Jeannette Jedediah Jefferey Jeffry Jenna Jenny Jerad Jeramy Jeremie Jermaine Jerome Jerrod
  Jesse Jessyca Jett Jewel Jillian Jimmy Joanie Joanne Joaquin Jodie Joelle Joey Johanna Johnathan Johnpaul Jon
  Jonathan Jordon Jorge Josefa Josephine Joshuah Josianne Jovan Jovany Juan Judah Judge Judy Juliana Julien
  Julius Junius Justina Justus Juvenal Kacie Kadin Kaia Kailyn Kale Kaley Kameron Kamren Kane Karelle Kariane
  Karine Karlee Karlie Kassandra Kate Katelynn Katheryn Kathryn Katie Katrina Kavon Kayla Kaylee Kayli Keagan
  Keaton Keely Keith Kelli Kelsi Kelton Kendra Kennedi Kenny Kenya Keshaun Kevin Keyshawn Khalil Kianna Kiel
  Kiley King Kirk Kitty Kody Kole Kory Kristen Kristin Kristofer Kristy Krystina Kyla Kylee Kylie Lacy Laila
  Lambert Lance Larissa Latoya Laurel Lauretta Laurie Lauryn Laverne Lavonne Layla Leah Leanna Leda Leila Lelah
  Lempi Lenna Lenore Leon Leonard Leonie Leopold Lera Leslie Lester Leticia Lew Lexi Lia Libbie Lilian Lilla
  Lillie Lilyan Linda Lindsey Lionel Lisette Lizeth Lloyd Lola Lon Lonzo Lorena Lorenz Loretta Lorna Louie
  Louise Lowell Lucia Lucienne Lucille Lucious Ludie Luigi Lukas Lulu Lurline Lyda Lyla Lynette Lyric Mabelle
  Macey Mack Madaline Madeline Madelynn Madilyn Madisyn Mae Mafalda Magdalena Magnus Maiya Makayla Malachi
  Malinda Malvina Manley Mara Marcelina Marcelle Marcelo Marcos Margarete Margarette Margie Marguerite Mariam
  Mariane Marianne Marie Marietta Marilyn Mario Maritza Marjory Marlee Marlene Marquis Marshall Martin Marty
  Maryam Maryse Mathew Mathilde Matt Mattie Maudie Mauricio Mavis Maximilian Maxine May Maybelle Maynard Mckayla
  Meagan Megan Meghan Melany Melinda Mellie Melvina Mercedes Mervin Micaela Michaela Michelle Mikayla Mildred
  Millie Mindy Miracle Mireya Missouri Mitchell Modesta Mohammad Mollie Monica Monte Morris Mose Mozelle Muriel
  Mya Myles Myrna Myrtie Nadia Nancy Naomie Narciso Nat Natasha Nathanial Nayeli Nedra Nelda Nellie Nelson
  Nettie Newton Nicholaus Nicklaus Nicolas Nigel Niko Nina Noble Noelia Noemy Nona Norberto Norman Norwood Nyah
  Obie Odell Okey Ole Olga Oliver Omari Opal Ora Oren Orland Orpha Orville Oscar Oswaldo Otilia Ottilie Owen
  Paige Pamela Parker Patience Patsy Patty Paula Pearl Pedro Penelope Percy Peter Philip Phyllis Pierre Piper
  Precious Prince Prudence Quentin Quinton Rachelle Raegan Raheem Raina Ramon Randall Randy Raphael Rashad
  Rasheed Ray Reanna Rebecca Reece Regina Reina Rene Ressie Retta Rex Reymundo Rhea Rhiannon Ricardo Richmond
  Rickey Rigoberto Robert Robyn Rocky Rodger Rodrick Rogelio Rogers Rollin Ronald Ronny Rosa Rosalie Rosalyn
  Rosario Rose Rosemarie Rosetta Roslyn Rowena Roxanne Rozella Ruby Rudolph Rupert Russell Ruthe Ryder Ryleigh
  Sabryna Saige Sally Salvatore Samantha Samson Sandrine Santa Santino Sarah Sarina Savanah Savion Scott Seamus
  Sedrick Selmer Sergio Shad Shana Shanelle Shaniya Shanny Sharon Shawna Sheila Shelley Shemar Sherri Sheryl
  Shyanne Sienna Sigrid Silvia Simon Sister Soledad Sonja Sophia Stacey Stanford Stefan Stephan Stephanie
  Stephon Steven Stuart Susan Susie Syble Sydni Sylvan Tabitha Talon Tamia Tanner Taryn Tatum Tavares Ted Teri
  Terrence Tess Thad Thea Theodora Therese Theron Thurman Tianna Tiffany Timmothy Tina Tobin Todd Tomas Toney
  Tonya Trace Tracy Tre Trent Tressie Trever Trey Trisha Troy Trystan Tyler Tyreek Tyrese Tyrone Ubaldo Una
  Ursula Valentina Vance Veda Velma Vena Verdie Verlie Verner Verona Vicenta Vickie Victoria Vidal Vincent
  Vinnie Violette Virginia Vito Viviane Vivienne Wade Walker Walton Warren Waylon Weldon Wendy Westley Whitney
  Wilbur Wilford Wilfrid Will William Willow Wilmer Wilton Winnifred Woodrow Xander Yadira Yasmine Yessenia
  Yvette Zachariah Zack Zakary Zaria Zella Zetta Zoey Zola`);

export const LAST_NAMES = split(`
  Abbott Abernathy Adams Anderson Ankunding Auer Bahringer Balistreri Barrows Bartoletti Bashirian Bauch
  Baumbach Beahan Bechtelar Bednar Beer Berge Bergstrom Bernier Bins Blick Bode Bogan Bogisich Bosco Boyer
  Bradtke Brakus Brekke Bruen Carroll Carter Casper Champlin Cole Collins Connelly Considine Corkery Corwin
  Crist Cronin Crooks Cummings Daniel Daugherty Davis Denesik Dickens Dickinson Dietrich Dooley Doyle Ebert
  Effertz Emmerich Ernser Fahey Farrell Feeney Feil Fisher Flatley Franecki Friesen Fritsch Gerhold Gibson
  Gleason Gleichner Goldner Gorczany Goyette Grady Grant Greenholt Gulgowski Gusikowski Gutmann Hackett Hahn
  Haley Hamill Hand Hansen Harber Hartmann Hauck Heaney Heathcote Heller Hermann Herzog Hessel Hickle Hills
  Hilpert Hirthe Hoeger Hoppe Howe Hudson Huels Jacobi Jacobs Jakubowski Jast Jerde Johns Johnston Kassulke
  Keebler Keeling Kerluke Kessler Kihn Kilback Kirlin Kling Koch Koelpin Kohler Koss Kozey Krajcik Kris Kub
  Kuhlman Kuhn Kunde Kuphal Kutch Labadie Lang Langworth Larkin Leannon Ledner Legros Lehner Lesch Lind Littel
  Little Lowe Lueilwitz Lynch Macejkovic Mann Marks Marvin Mayer Medhurst Metz Mills Mitchell Mohr Moore
  Morissette Mosciski Mueller Murazik Murphy Nader Nienow Nitzsche Nolan Olson Orn Osinski Pacocha Pagac Parker
  Pfeffer Pollich Powlowski Price Prosacco Purdy Quitzon Ratke Raynor Reichel Reilly Rempel Reynolds Rice
  Ritchie Roberts Rogahn Rohan Romaguera Rosenbaum Rowe Runolfsson Russel Ryan Sanford Sawayn Schaefer Schimmel
  Schinner Schmidt Schneider Schowalter Schroeder Schultz Schuppe Senger Shanahan Simonis Skiles Smitham Spencer
  Sporer Stanton Stehr Steuber Stokes Streich Strosin Swaniawski Terry Thompson Tillman Torphy Toy Tremblay
  Treutel Turcotte Ullrich Vandervort Veum Von Walker Walter Ward Watsica Wehner Weissnat Welch White Wilderman
  Will Williamson Windler Wisoky Witting Wiza Wolff Wunsch Yost Yundt Zemlak Zieme`);

export const LOREM = split(`
  abbas abscido absque abutor accommodo acer acies adamo ademptio adfero adhuc adipiscor admoneo adopto adsum
  advenio aeger aeneus aestas aetas aggredior ait alii aliquid alter amaritudo amicitia amitto amplexus angelus
  animi ante antiquus apostolus appositus apud arbitro arceo arcus arma articulus ascisco aspernatur assumenda
  ater atrox auctor audentia aufero autem avaritia baiulus basium bellum benigne blandior brevis caelestis calco
  candidus capillus caput caries carmen caste cattus caveo celer ceno cerno cervus cibo cimentarius cito clamo
  claudeo coadunatio cogito cohaero collum combibo cometes commemoro communis compono concedo conduco confugo
  coniecto conqueror consequuntur constans contigo convoco cornu correptius corrupti cras crebro crepusculum
  cribro cruentus cubicularis cuius cultura cunae cupio cur curiositas currus curto damnatio debilito decerno
  decor dedico defero defleo degero delectatio deleo deludo demo demum denuncio depereo depraedor depulso
  deripio desipio dicta dolore dolores eaque enim est expedita fuga harum impedit inventore iste labore libero
  maiores modi nam nesciunt non occaecati odit optio patria paulatim pecco peior placeat praesentium quam quia
  quisquam ratione repellat rerum sequi socius solio sollicito solutio somnus sopor speciosus spero spoliatio
  statua stipes strues suasoria sublime subvenio suffoco sulum summisse sunt supplanto surgo suspendo tabella
  tabgo taedium tam tamisium tantum temperantia tempore tenax tenetur tepidus terga termes terra tersus textilis
  theatrum thermae thymbra timor tollo torrens toties traho trepide triduana triumphus tui turba tutis ulciscor
  ultio umerus undique urbs ustilo uterque utpote utrum vado valeo vapulus vel velut ventito venustas vere
  veritas verto vesica vestigium via victus vigilo vilitas vindico virga viriliter vita vito vociferor volubilis
  voluptate voluptatibus vomer vorax voveo vulgivagus vulnus`);

export const STREETS = split(`
  Abbey Road, Adams Avenue, Airport Road, Albert Road, Alexandra Road, Alma Street, Ash Grove, Ash Street
  Atlantic Avenue, Back Lane, Balmoral Road, Barton Road, Bath Street, Beach Road, Beech Close, Beech Grove
  Beechwood Avenue, Belmont Road, Birch Close, Birch Road, Bluebell Close, Bramble Close, Bridge Road
  Broad Lane, Broadway Avenue, Brook Lane, Brook Road, Buckingham Road, Canal Street, Castle Lane, Castle Street
  Cedar Avenue, Cedar Grove, Cedar Street, Center Avenue, Center Street, Central Street, Chapel Hill
  Chapel Street, Cherry Close, Cherry Tree Close, Chestnut Close, Chestnut Grove, Church Avenue, Church Hill
  Church Path, Church Street, Church Walk, Clarence Road, Clarendon Road, Clay Lane, Cliff Road, Clifton Road
  College Avenue, Columbia Avenue, Commercial Road, Common Lane, Coronation Road, County Road, Cow Lane
  Cromwell Road, Cross Street, Cumberland Street, Dark Lane, Depot Street, Derwent Close, Division Street
  Duke Street, East Road, Edward Street, Elm Grove, Elm Street, Fairfield Road, Ferry Road, Field Lane
  First Street, Forest Avenue, Forest Road, Franklin Avenue, Franklin Street, Frontage Road, Garden Street
  Gladstone Road, Gloucester Road, Gordon Street, Grange Avenue, Grange Road, Green Close, Green Street
  Greenwood Road, Grove Road, Hall Lane, Harrison Avenue, Hawthorn Avenue, Hazel Close, Heath Road, Henry Street
  Hickory Street, High Street, Highfield Close, Highland Avenue, Hill Street, Hillside Close, Hillside Road
  Honeysuckle Close, Howard Street, Jackson Street, Jefferson Avenue, Johnson Street, Juniper Close
  Kestrel Close, Kingfisher Close, Laburnum Grove, Lake Avenue, Lake Road, Lancaster Road, Larch Close
  Lawrence Street, Liberty Street, Lincoln Avenue, Lincoln Road, Locust Street, Lodge Lane, Long Lane
  Madison Avenue, Main Avenue, Main Street, Manor Close, Manor Gardens, Manor Road, Maple Avenue, Maple Drive
  Maple Street, Market Square, Marlborough Road, Mary Street, Meadow Close, Meadow Lane, Meadow Way
  Middle Street, Mill Lane, Mill Street, Milton Street, Moor Lane, Mount Pleasant, Mulberry Street
  Nelson Street, New Road, Newton Road, Norfolk Road, North Lane, North Street, Oak Avenue, Oak Lane, Oak Road
  Oakfield Road, Old Military Road, Old State Road, Orchard Lane, Orchard Street, Oxford Street, Park Crescent
  Park Lane, Park Road, Park View, Pennsylvania Avenue, Pine Grove, Pinfold Lane, Poplar Avenue, Poplar Road
  Post Road, Princes Street, Priory Close, Prospect Avenue, Prospect Road, Quarry Lane, Railroad Avenue
  Railway Street, Rectory Lane, Richmond Road, Ridge Road, River Street, Riverside Drive, Roman Way
  Russell Street, Sandringham Road, School Close, School Road, Second Avenue, Skyline Drive, Somerset Road
  South Drive, South Street, Spring Gardens, Springfield Close, Spruce Street, Stanley Road, State Avenue
  State Road, Station Road, Stoney Lane, Sycamore Close, Sycamore Street, Tennyson Road, The Beeches
  The Causeway, The Coppice, The Crescent, The Dell, The Fairway, The Grange, The Grove, The Lane, The Limes
  The Meadows, The Mount, The Orchard, The Paddock, The Poplars, The Ridings, The Sidings, The Square
  The Woodlands, Third Street, Trinity Road, Union Avenue, University Avenue, Valley Road, Vicarage Lane
  Victoria Place, Victoria Street, Vine Street, Walnut Street, Warren Road, Washington Boulevard
  Washington Street, Water Street, Watery Lane, Well Lane, Wellington Street, West End, West Road, West View
  Western Road, William Street, Willow Drive, Willow Road, Windermere Road, Windmill Lane, Windsor Close
  Wood Lane, Woodland Close, Woodlands Avenue, Woodlands Road, Wren Close, York Road`);

function split(text: string): readonly string[] {
  return text.trim().split(text.includes(',') ? /,\s*|\n\s*/ : /\s+/);
}
